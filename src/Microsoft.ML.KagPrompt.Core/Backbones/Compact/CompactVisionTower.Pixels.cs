using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Compact;

/// <content>The trunk by the library's own convolutions.</content>
internal sealed partial class CompactVisionTower
{
    private readonly PixelLayers pixels;

    private bool TakesPixels(Tensor images) => pixels.Takes(images, [config.StemWidth, .. config.StageWidths]);

    private Tensor[] MapsOf(PixelLayers.Pass pass, Tensor image)
    {
        var planes = pass.Planes(image, "stem");
        var x = pass.Conv(planes, "stem");
        pass.Drop(planes);
        var maps = new Tensor[config.StageWidths.Count];
        for (var i = 0; i < maps.Length; i++)
        {
            var entered = pass.Conv(x, $"stages.{i}.enter");
            pass.Drop(x);
            x = entered;
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                var inner = pass.Conv(x, $"stages.{i}.blocks.{j}.conv1");
                var sum = pass.Conv(inner, $"stages.{i}.blocks.{j}.conv2", x);
                pass.Drop(inner, x);
                x = sum;
            }

            maps[i] = x.ToTensor();
        }

        return maps;
    }

    private IEnumerable<(string Name, int Stride)> Layers()
    {
        yield return ("stem", 2);
        for (var i = 0; i < config.StageWidths.Count; i++)
        {
            yield return ($"stages.{i}.enter", EntryStride(i));
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                yield return ($"stages.{i}.blocks.{j}.conv1", 1);
                yield return ($"stages.{i}.blocks.{j}.conv2", 1);
            }
        }
    }
}
