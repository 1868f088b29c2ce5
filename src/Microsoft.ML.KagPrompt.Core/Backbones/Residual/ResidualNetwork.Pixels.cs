using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;
using Kernels = Microsoft.ML.KagPrompt.Numerics.PixelConvolution.Kernels;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <content>
/// The stages by the library's own convolutions: on processors that have the instructions, in 32 bit, where nothing is trained.
/// </content>
internal sealed partial class ResidualNetwork
{
    private readonly Lock packing = new();
    private Dictionary<string, Kernels>? packed;

    private bool TakesPixels(Tensor images)
        => !is_grad_enabled() && images.device_type == DeviceType.CPU && weights.Type == ScalarType.Float32
            && PixelConvolution.Takes(config.StemWidth)
            && config.StageWidths.Concat(config.MiddleWidths).All(PixelConvolution.Takes);

    /// <summary>
    /// One image after the other: a layer's maps of one stay in the caches, and all threads work at one as well as at several.
    /// </summary>
    private IReadOnlyList<Tensor> PixelStages(Tensor images)
    {
        var kernels = Packed();
        if (images.shape[0] == 1)
        {
            return StagesOf(images, kernels);
        }

        using var scope = NewDisposeScope();
        var each = Enumerable.Range(0, (int)images.shape[0]).Select(i => StagesOf(images.narrow(0, i, 1), kernels)).ToArray();
        return [.. config.StageWidths.Select((_, stage) => cat([.. each.Select(stages => stages[stage])], 0).MoveToOuterDisposeScope())];
    }

    private Tensor[] StagesOf(Tensor images, Dictionary<string, Kernels> kernels)
    {
        // Of those that a fault leaves; the others go as soon as nothing needs them.
        var made = new List<PixelMap>();
        PixelMap Made(PixelMap map, params ReadOnlySpan<PixelMap> from)
        {
            made.Add(map);
            foreach (var used in from)
            {
                used.Dispose();
            }

            return map;
        }

        PixelMap Conv(PixelMap input, string name, PixelMap? added = null, bool isRectified = true)
            => PixelConvolution.Apply(input, kernels[name], added, isRectified);

        PixelMap Block(PixelMap x, string name)
        {
            var shortcut = kernels.ContainsKey($"{name}.shortcut") ? Made(Conv(x, $"{name}.shortcut", isRectified: false)) : x;
            var inner = Made(Conv(x, $"{name}.conv1"));
            var (middle, last) = config.MiddleWidths.Count == 0
                ? (inner, $"{name}.conv2") : (Made(Conv(inner, $"{name}.conv2"), inner), $"{name}.conv3");
            return Made(Conv(middle, last, shortcut), middle, shortcut, x);
        }

        try
        {
            var pixels = Made(PixelMap.FromPlanes(images, kernels["stem"].Rows / 2));
            var stem = Made(Conv(pixels, "stem"), pixels);
            var x = Made(PixelConvolution.Pool(stem), stem);
            var maps = new Tensor[config.StageWidths.Count];
            for (var i = 0; i < maps.Length; i++)
            {
                for (var j = 0; j < config.StageBlocks[i]; j++)
                {
                    x = Block(x, $"stages.{i}.{j}");
                }

                maps[i] = x.ToTensor();
            }

            return maps;
        }
        finally
        {
            made.ForEach(map => map.Dispose());
        }
    }

    /// <summary>Every layer's kernels, made when they are first needed.</summary>
    private Dictionary<string, Kernels> Packed()
    {
        lock (packing)
        {
            return packed ??= Layers().ToDictionary(layer => layer.Name, layer => new Kernels(
                weights[$"{layer.Name}.weight"], weights[$"{layer.Name}.bias"], layer.Stride, PixelConvolution.WidestLanes));
        }
    }

    private IEnumerable<(string Name, int Stride)> Layers()
    {
        yield return ("stem", 2);
        for (var i = 0; i < config.StageWidths.Count; i++)
        {
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                var (block, stride) = ($"stages.{i}.{j}", i > 0 && j == 0 ? 2 : 1);
                var isBottleneck = config.MiddleWidths.Count > 0;
                yield return ($"{block}.conv1", isBottleneck ? 1 : stride);
                yield return ($"{block}.conv2", isBottleneck ? stride : 1);
                if (isBottleneck)
                {
                    yield return ($"{block}.conv3", 1);
                }

                if (weights.Find($"{block}.shortcut.weight") is not null)
                {
                    yield return ($"{block}.shortcut", stride);
                }
            }
        }
    }

    private void ForgetKernels()
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
}
