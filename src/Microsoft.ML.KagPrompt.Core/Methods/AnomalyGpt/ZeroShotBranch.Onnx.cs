using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

/// <content>The same in ONNX operators.</content>
internal sealed partial class ZeroShotBranch
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (region, tokens, side) = (reference.Region, images.ForMemory.PatchTokens, (long)sizes.ImageSize);
        var abnormal = tokens.Select((layer, i) => maps.Emit(decoder.Emit(i, layer, reference.TextFeatures!), Grids[i], region?.Square)
            .Reshape(-1, 2, side, side).Softmax(1).Select(1, 1));                                                       // [N, S, S]
        var map = (abnormal.Aggregate((sum, layer) => sum + layer) * (1.0 / tokens.Count)).Only(region);
        return new(map, map.LargestPixel(region), null);
    }
}
