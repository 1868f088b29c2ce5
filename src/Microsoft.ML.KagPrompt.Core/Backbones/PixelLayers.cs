using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;
using Kernels = Microsoft.ML.KagPrompt.Numerics.PixelConvolution.Kernels;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// A network's convolutions by the library's own code: on processors that have the instructions, in 32 bit, where nothing is trained.
/// Kernels are copied in the form that the inner loops read when they are first needed. Thread-safe.
/// </summary>
internal sealed class PixelLayers(WeightSet weights)
{
    private readonly Lock packing = new();
    private Dictionary<string, Kernels>? packed;

    /// <summary>Whether it takes these images through layers of these numbers of outputs.</summary>
    public bool Takes(Tensor images, params IEnumerable<int> outputs)
        => !is_grad_enabled() && images.device_type == DeviceType.CPU && weights.Type == ScalarType.Float32
            && !ProductTiles.IsLeftOut && outputs.All(PixelConvolution.Takes);

    /// <summary>
    /// Some maps of each image. One image after the other: a layer's maps of one stay in the caches, and all threads work at one as well
    /// as at several.
    /// </summary>
    /// <param name="images">[B, 3, S, S].</param>
    /// <param name="layers">Names and strides of all layers.</param>
    /// <param name="maps">An image's maps, [1, W, h, w] each, made in a pass.</param>
    /// <returns>[B, W, h, w] each, channels last in memory. The caller owns them.</returns>
    public IReadOnlyList<Tensor> Run(
        Tensor images, IEnumerable<(string Name, int Stride)> layers, Func<Pass, Tensor, Tensor[]> maps)
    {
        var kernels = Packed(layers);
        if (images.shape[0] == 1)
        {
            return Of(images);
        }

        using var scope = NewDisposeScope();
        var each = Enumerable.Range(0, (int)images.shape[0]).Select(i => Of(images.narrow(0, i, 1))).ToArray();
        return [.. each[0].Select((_, i) => cat([.. each.Select(own => own[i])], 0).MoveToOuterDisposeScope())];

        Tensor[] Of(Tensor image)
        {
            using var pass = new Pass(kernels);
            return maps(pass, image);
        }
    }

    /// <summary>Forgets the copies: the weights move, or go.</summary>
    public void Forget()
    {
        lock (packing)
        {
            foreach (var kernels in packed?.Values.AsEnumerable() ?? [])
            {
                kernels.Dispose();
            }

            packed = null;
        }
    }

    private Dictionary<string, Kernels> Packed(IEnumerable<(string Name, int Stride)> layers)
    {
        lock (packing)
        {
            return packed ??= layers.ToDictionary(layer => layer.Name, layer => new Kernels(
                weights[$"{layer.Name}.weight"], weights[$"{layer.Name}.bias"], layer.Stride, TileShape.Widest));
        }
    }

    /// <summary>An image's way through the layers. Owns the maps that are made on it.</summary>
    internal sealed class Pass(Dictionary<string, Kernels> kernels) : IDisposable
    {
        // Of those that a fault leaves; the others go as soon as nothing needs them.
        private readonly List<PixelMap> made = [];

        public bool Has(string layer) => kernels.ContainsKey(layer);

        /// <summary>[1, C, H, W] with the zeros around it that a layer needs.</summary>
        public PixelMap Planes(Tensor image, string layer) => Keep(PixelMap.FromPlanes(image, kernels[layer].Rows / 2));

        /// <summary>A layer.</summary>
        /// <param name="input">Goes where nothing else needs it: <see cref="Drop"/>.</param>
        /// <param name="layer">Its name.</param>
        /// <param name="added">Added to its outputs.</param>
        /// <param name="isRectified">Whether negative sums become zero.</param>
        public PixelMap Conv(PixelMap input, string layer, PixelMap? added = null, bool isRectified = true)
            => Keep(PixelConvolution.Apply(input, kernels[layer], added, isRectified));

        /// <inheritdoc cref="PixelConvolution.Pool"/>
        public PixelMap Pool(PixelMap input) => Keep(PixelConvolution.Pool(input));

        /// <summary>Maps that nothing needs any more.</summary>
        public void Drop(params ReadOnlySpan<PixelMap> maps)
        {
            foreach (var map in maps)
            {
                map.Dispose();
            }
        }

        public void Dispose() => made.ForEach(map => map.Dispose());

        private PixelMap Keep(PixelMap map)
        {
            made.Add(map);
            return map;
        }
    }
}
