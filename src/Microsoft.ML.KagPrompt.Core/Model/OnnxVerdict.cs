using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>The outputs of an exported model: what <see cref="KagPromptModel"/> makes of a method's scores, in ONNX operators.</summary>
internal static class OnnxVerdict
{
    private const string Images = "N";

    /// <summary>Adds them to the graph.</summary>
    /// <param name="scored">Of the method.</param>
    /// <param name="calibration">What decides.</param>
    /// <param name="region">What is inspected; null: all.</param>
    /// <param name="side">S.</param>
    public static void Emit(MethodGraph scored, ThresholdCalibration calibration, ClassRegion? region, int side)
    {
        var (scores, graph) = (scored.Scores, scored.Scores.Graph);
        var maps = region is null ? scored.Maps
            : graph.Constant(region.Inspected, side, side).Where(scored.Maps, graph.Constant(double.NaN));
        var unlikeness = scored.Unlikeness ?? (scores * double.NaN);
        var isForeign = unlikeness > graph.Constant(calibration.UnlikenessLimit);
        // As ProbabilityOf, number by number.
        var odds = ((scores - calibration.Threshold).Neg() / calibration.Scale).Exp();
        graph.Output("score", scores, DataType.Float, Images);
        graph.Output("anomaly_map", maps, DataType.Float, Images, side, side);
        graph.Output("probability", 1 / (odds + 1), DataType.Float, Images);
        // Written so that an image is never passed by a threshold that is not a number.
        graph.Output("is_anomalous", !(scores <= graph.Constant(calibration.Threshold)) | isForeign, DataType.Bool, Images);
        graph.Output("unlikeness", unlikeness, DataType.Float, Images);
        graph.Output("is_foreign", isForeign, DataType.Bool, Images);
    }
}
