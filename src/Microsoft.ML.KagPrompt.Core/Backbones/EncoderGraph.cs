using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>As <see cref="FeatureEncoder"/>, of images that are to come.</summary>
/// <param name="encoder">The towers.</param>
/// <param name="squares">[N, 3, S, S], values 0 to 255.</param>
internal sealed class EncoderGraph(FeatureEncoder encoder, OnnxValue squares)
{
    /// <summary>S.</summary>
    public int ImageSize => encoder.ImageSize;

    /// <summary>The backbone.</summary>
    public IVisionTower Tower => encoder.Tower;

    /// <summary>Images as the backbone takes them.</summary>
    public OnnxValue Images => Normalized(encoder.Tower.Info);

    /// <summary>What a graph prompt sees.</summary>
    public VisionValues ForPrompt => Emit(encoder.Tower);

    /// <summary>What the memory bank sees: the same tower, or its own.</summary>
    public VisionValues ForMemory => Emit(encoder.MemoryTower);

    /// <summary>A tower's other abilities, in ONNX.</summary>
    /// <exception cref="NotSupportedException">It does not say itself so.</exception>
    public static T As<T>(IVisionTower tower) where T : class => tower as T ?? throw new NotSupportedException(
        $"Backbone of family '{tower.Family}': it cannot be exported to ONNX with this method. "
        + "Fit with another backbone, or load the model with this library.");

    private VisionValues Emit(IVisionTower tower) => As<IVisionGraph>(tower).Emit(Normalized(tower.Info), ImageSize);

    private OnnxValue Normalized(VisionTowerInfo info)
    {
        var graph = squares.Graph;
        return ((squares / 255) - graph.Constant([.. info.Mean], 1, 3, 1, 1)) / graph.Constant([.. info.Std], 1, 3, 1, 1);
    }
}
