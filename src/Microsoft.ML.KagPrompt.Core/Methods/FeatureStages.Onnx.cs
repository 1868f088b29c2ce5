using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>As <see cref="StageFeatures"/>, to be computed.</summary>
/// <param name="Maps">[N, W, h, w] each, shallow to deep.</param>
/// <param name="Sides">h, which is w, of each.</param>
/// <param name="Widths">W of each.</param>
/// <param name="Descriptor">[N, D].</param>
internal sealed record StageValues(
    IReadOnlyList<OnnxValue> Maps, IReadOnlyList<int> Sides, IReadOnlyList<int> Widths, OnnxValue Descriptor);

/// <content>The same in ONNX operators.</content>
internal sealed partial class FeatureStages
{
    /// <summary>As <see cref="Encode"/>.</summary>
    public StageValues Emit(EncoderGraph images, IReadOnlyList<int> chosen)
    {
        int[] sides = [.. chosen.Select(stage => Grid(stage).Rows)];
        int[] widths = [.. chosen.Select(stage => Widths[stage - 1])];
        if (HasStages)
        {
            var maps = EncoderGraph.As<IStageGraph>(images.Tower).EmitStages(images.Images);
            return new([.. chosen.Select(stage => maps[stage - 1])], sides, widths, maps[^1].Mean([2, 3]));
        }

        var features = images.ForPrompt;
        return new([.. chosen.Select((tap, i) => features.PatchTokens[tap - 1].AsMap(sides[i]))], sides, widths, features.ImageEmbedding);
    }
}
