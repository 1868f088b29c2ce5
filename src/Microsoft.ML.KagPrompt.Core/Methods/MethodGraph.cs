using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>As <see cref="MethodScores"/>, to be computed.</summary>
/// <param name="Maps">[N, S, S], 0 outside the class's region.</param>
/// <param name="Scores">[N].</param>
/// <param name="Unlikeness">[N]; null where the method cannot tell.</param>
internal sealed record MethodGraph(OnnxValue Maps, OnnxValue Scores, OnnxValue? Unlikeness);
