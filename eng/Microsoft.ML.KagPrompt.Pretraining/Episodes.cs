using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using Microsoft.ML.KagPrompt.Synthesis;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>What a trunk makes of one rendered product: supports, sound pieces, defective pieces, in this order. Owns its tensors.</summary>
/// <param name="Maps">The stages' maps on the patch grid, [N, L, W_i] each, half precision.</param>
/// <param name="Coverage">The defect's share of each patch of the sound and the defective pieces, [N − supports, L].</param>
internal sealed record Episode(IReadOnlyList<Tensor> Maps, Tensor Coverage) : IDisposable
{
    public const int Supports = 4;
    public const int Sound = 2;

    /// <summary>Each sound piece once with defects drawn into it and once with NSA's.</summary>
    public const int Defective = 2 * Sound;

    /// <summary>Renders a product and shows it to the trunk.</summary>
    public static Episode Render(CompactVisionTower tower, int seed, Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var info = tower.Info;
        var random = new Random(seed);
        var views = ProductRenderer.Views(seed, Supports + Sound, info.ImageSize);
        var stranger = new Lazy<PixelBuffer>(() => ProductRenderer.Views(~seed, 1, info.ImageSize)[0]);
        var nsa = new NsaSynthesizer(SynthesisOptions.FitTo(views));
        var pieces = views.Skip(Supports).Select(view => (Image: view, Mask: new bool[info.ImageSize * info.ImageSize])).ToList();
        pieces.AddRange(views.Skip(Supports).Select(view => ProductRenderer.Damage(view, random)));
        pieces.AddRange(views.Skip(Supports).Select(view =>
        {
            var twin = nsa.Synthesize(view, random.Next(4) == 0 ? stranger.Value : views[random.Next(Supports)], random);
            return (twin.Image, twin.Mask);
        }));
        var grid = info.ImageSize / info.PatchSize;
        var images = new ImagePreprocessor(info.ImageSize, ResizeMode.Stretch, info.Mean, info.Std).Normalize([.. views.Take(Supports), .. pieces.Select(piece => piece.Image)]);
        var maps = tower.Trunk(images.to(device)).Select(map => CompactVisionTower.ToGrid(map, grid).flatten(2).transpose(1, 2).to(ScalarType.Float16).contiguous().DetachFromDisposeScope());
        var masks = tensor(pieces.SelectMany(piece => piece.Mask).Select(set => set ? 1f : 0f).ToArray(), [pieces.Count, 1, info.ImageSize, info.ImageSize]);
        var coverage = nn.functional.avg_pool2d(masks, info.PatchSize).flatten(1).to(device);
        return new Episode([.. maps], coverage.DetachFromDisposeScope());
    }

    public void Dispose()
    {
        foreach (var map in Maps)
        {
            map.Dispose();
        }

        Coverage.Dispose();
    }
}
