using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <content>The stages by the library's own convolutions.</content>
internal sealed partial class ResidualNetwork
{
    private readonly PixelLayers pixels;

    private bool TakesPixels(Tensor images)
        => pixels.Takes(images, [config.StemWidth, .. config.StageWidths, .. config.MiddleWidths]);

    private Tensor[] StagesOf(PixelLayers.Pass pass, Tensor image)
    {
        var planes = pass.Planes(image, "stem");
        var stem = pass.Conv(planes, "stem");
        var x = pass.Pool(stem);
        pass.Drop(planes, stem);
        var maps = new Tensor[config.StageWidths.Count];
        for (var i = 0; i < maps.Length; i++)
        {
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                x = Block(pass, x, $"stages.{i}.{j}");
            }

            maps[i] = x.ToTensor();
        }

        return maps;
    }

    private PixelMap Block(PixelLayers.Pass pass, PixelMap x, string name)
    {
        var shortcut = pass.Has($"{name}.shortcut") ? pass.Conv(x, $"{name}.shortcut", isRectified: false) : x;
        var inner = pass.Conv(x, $"{name}.conv1");
        var (middle, last) = config.MiddleWidths.Count == 0
            ? (inner, $"{name}.conv2") : (pass.Conv(inner, $"{name}.conv2"), $"{name}.conv3");
        var sum = pass.Conv(middle, last, shortcut);
        pass.Drop(inner, middle, shortcut, x);
        return sum;
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
}
