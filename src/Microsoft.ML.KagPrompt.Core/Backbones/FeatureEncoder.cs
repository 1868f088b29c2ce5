using Microsoft.ML.KagPrompt.Backbones.Tiled;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// Images to features on one device: the backbone and, perhaps, the memory bank's own. One forward at a time on a device, of all models in
/// the process. Owns its share of the towers.
/// </summary>
internal sealed class FeatureEncoder : IDisposable
{
    /// <summary>Images in one forward on the processor, of the usual sizes.</summary>
    public const int OnProcessor = 8;

    // A graphics card has room for more side by side, and each forward costs it the same hundreds of starts.
    private const int OnGraphicsCard = 32;

    // Patches in one forward for each of its images: a matrix product has no use for more, and what lies between the layers grows with
    // them.
    private const int PatchesOfAnImage = 1024;

    // Attention costs the fourth power of it.
    private const int LargestGrid = 256;

    private readonly DeviceQueue queue;
    private readonly ImagePreprocessor memoryPreprocessor;
    private readonly FeatureStore? store;
    private readonly int tiles;

    /// <summary>Takes over one ownership of each tower. Tiles that nobody chose yet are one.</summary>
    /// <param name="vision">The backbone.</param>
    /// <param name="memory">The memory bank's own; null: the same.</param>
    /// <param name="images">Their size and tiles.</param>
    /// <param name="device">Where the towers are.</param>
    /// <param name="store">Keeps what scoring sees, of whoever scores; null: it is computed each time.</param>
    /// <exception cref="ArgumentException">The images' side is no multiple of a patch size.</exception>
    public FeatureEncoder(Shared<NetworkTower> vision, Shared<NetworkTower>? memory, ImageOptions images, torch.Device device,
        FeatureStore? store = null)
    {
        (Vision, Memory, Device, queue, this.store) = (vision, memory, device, DeviceQueue.For(device), store);
        (Tower, MemoryTower) = (vision.Value.Tower, (memory ?? vision).Value.Tower);
        var side = images.Size ?? Tower.Info.ImageSize;
        foreach (var (option, tower) in new[] { (nameof(BackboneOptions.Name), Tower), (nameof(BackboneOptions.MemoryName), MemoryTower) })
        {
            if (side % tower.Info.PatchSize != 0)
            {
                throw new ArgumentException($"Images.Size: expected a multiple of the patch size {tower.Info.PatchSize} "
                    + $"(Backbone.{option}), got {side}.");
            }
        }

        var layout = TileLayout.Create(side, Math.Max(1, images.Tiles), Tower.Info.PatchSize, MemoryTower.Info.PatchSize);
        (ImageSize, tiles) = (layout.Whole, layout.Count);
        if (layout.Count > 1)
        {
            MemoryTower = new TiledTower(MemoryTower, layout);
            Tower = memory is null ? MemoryTower : new TiledTower(Tower, layout);
        }

        if (ImageSize / Tower.Info.PatchSize > LargestGrid)
        {
            throw new ArgumentException($"Images.Size: expected at most {LargestGrid} patches of {Tower.Info.PatchSize} pixels a side, "
                + $"got {ImageSize}.");
        }

        Preprocessor = new ImagePreprocessor(ImageSize, images.ResizeMode, Tower.Info.Mean, Tower.Info.Std);
        memoryPreprocessor = memory is null
            ? Preprocessor
            : new ImagePreprocessor(ImageSize, images.ResizeMode, MemoryTower.Info.Mean, MemoryTower.Info.Std);
    }

    /// <summary>Whose turn it is on the device among those who wait without a thread.</summary>
    public SemaphoreSlim Turn => queue.Turn;

    public Shared<NetworkTower> Vision { get; }

    /// <summary>The memory bank's own tower; null where it shares the other.</summary>
    public Shared<NetworkTower>? Memory { get; }

    /// <summary>The backbone, through tiles where there are some.</summary>
    public IVisionTower Tower { get; }

    /// <summary>The memory bank's, or the same.</summary>
    public IVisionTower MemoryTower { get; }

    public torch.Device Device { get; }

    /// <summary>S: the side of a tile, or of all of them together.</summary>
    public int ImageSize { get; }

    public ImagePreprocessor Preprocessor { get; }

    /// <summary>Images of the usual sizes in one forward.</summary>
    public int MostAtOnce => Device.type == DeviceType.CPU ? OnProcessor : OnGraphicsCard;

    /// <summary>Images that go through the networks together: fewer of larger ones, so that a batch's memory has a bound.</summary>
    public int ImagesAtOnce
        => Math.Clamp(MostAtOnce * PatchesOfAnImage / Math.Max(1, new[] { Tower, MemoryTower }.Max(MostPatches)), 1, MostAtOnce);

    /// <summary>Features of S × S images by the backbone, on the device, without gradients. The caller owns them.</summary>
    public VisionFeatures Encode(IReadOnlyList<PixelBuffer> squares) => Encode(squares, Tower, Preprocessor, forPrompt: true);

    /// <summary>
    /// Features of both towers; the backbone does not run where nothing needs it, nor what a prompt alone would see. The caller owns them.
    /// </summary>
    public ScoringFeatures EncodeForScoring(IReadOnlyList<PixelBuffer> squares, bool usesMain)
    {
        if (Memory is null)
        {
            return new ScoringFeatures(EncodeByBackbone(squares, usesMain), null);
        }

        var main = usesMain ? EncodeByBackbone(squares) : null;
        try
        {
            return new ScoringFeatures(
                main, Kept(Memory, Taps(false), squares, () => Encode(squares, MemoryTower, memoryPreprocessor, forPrompt: false)));
        }
        catch
        {
            main?.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="EncodeForScoring"/>, by the backbone alone. The caller owns them.</summary>
    public VisionFeatures EncodeByBackbone(IReadOnlyList<PixelBuffer> squares, bool forPrompt = true)
        => Kept(Vision, Taps(forPrompt), squares, () => Encode(squares, Tower, Preprocessor, forPrompt));

    /// <summary>
    /// What a method makes of normalised images [B, 3, S, S] with the backbone:
    /// as the other work of towers one at a time, on the device, without gradients. The caller owns it.
    /// </summary>
    /// <param name="squares">The images.</param>
    /// <param name="kind">What it makes of them: the same word, the same result.</param>
    /// <param name="encode">Makes it.</param>
    public T Encode<T>(IReadOnlyList<PixelBuffer> squares, string kind, Func<torch.Tensor, T> encode) where T : EncodedImages
        => Kept(Vision, kind, squares, () => Encode(squares, encode));

    /// <summary>
    /// Runs work that takes all of the device, on the device's thread, while no other such work runs there. Not from within such work.
    /// </summary>
    /// <param name="work">Without gradients; what it leaves of tensors is disposed.</param>
    /// <param name="tensorsOf">Those of its result: they are the caller's, in the caller's scope.</param>
    public T Alone<T>(Func<T> work, Func<T, IEnumerable<torch.Tensor>> tensorsOf)
    {
        using var scope = torch.NewDisposeScope();
        var result = queue.Run(() =>
        {
            using var own = torch.NewDisposeScope();
            var made = work();
            foreach (var tensor in tensorsOf(made))
            {
                tensor.DetachFromDisposeScope();
            }

            return made;
        });
        foreach (var tensor in tensorsOf(result))
        {
            scope.Attach(tensor);
            tensor.MoveToOuterDisposeScope();
        }

        return result;
    }

    public void Dispose()
    {
        Vision.Release();
        Memory?.Release();
    }

    private static string Taps(bool forPrompt) => forPrompt ? "taps, for a prompt, too" : "taps";

    private T Kept<T>(Shared<NetworkTower> tower, string kind, IReadOnlyList<PixelBuffer> squares, Func<T> encode) where T : EncodedImages
        => store is null ? encode()
            : store.Get(tower.Value, FormattableString.Invariant($"{kind}, tiles {tiles}"), squares, Device, encode);

    private T Encode<T>(IReadOnlyList<PixelBuffer> squares, Func<torch.Tensor, T> encode) where T : EncodedImages
        => Encode(squares, Preprocessor, encode);

    private T Encode<T>(IReadOnlyList<PixelBuffer> squares, ImagePreprocessor preprocessor, Func<torch.Tensor, T> encode)
        where T : EncodedImages
    {
        using var images = preprocessor.Normalize(squares);                   // [B, 3, S, S]
        return Alone(() => encode(images.to(Device)), encoded => encoded.Tensors);
    }

    /// <summary>Of a tower's grids, the largest one's patches.</summary>
    private int MostPatches(IVisionTower tower)
        => tower.Info.TapGrids(ImageSize).Append(tower.Info.PromptGrid(ImageSize)).Max(grid => grid.Rows * grid.Columns);

    private VisionFeatures Encode(IReadOnlyList<PixelBuffer> squares, IVisionTower tower, ImagePreprocessor preprocessor, bool forPrompt)
    {
        if (squares.Count <= ImagesAtOnce || ImagesAtOnce == MostAtOnce)
        {
            return Forward(squares, tower, preprocessor, forPrompt);
        }

        using var scope = torch.NewDisposeScope();
        var joined = VisionFeatures.Join([.. squares.Chunk(ImagesAtOnce).Select(few => Forward(few, tower, preprocessor, forPrompt))]);
        foreach (var tensor in joined.Tensors)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return joined;
    }

    private VisionFeatures Forward(IReadOnlyList<PixelBuffer> squares, IVisionTower tower, ImagePreprocessor preprocessor, bool forPrompt)
        => Encode(squares, preprocessor, images => tower.Encode(images, forPrompt));
}
