using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>What an exported model computes of a batch of images.</summary>
internal sealed class ExportedOutputs(IReadOnlyList<OrtValue> values)
{
    private const int Score = 0, Map = 1, Probability = 2, IsAnomalous = 3, Unlikeness = 4, IsForeign = 5;

    /// <summary>Their names, in the order that <see cref="Of"/> expects.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All(1).Select(output => output.Name)];

    /// <summary>Name, type and shape (−1: as many as images) of each, for maps of S × S.</summary>
    public static (string Name, TensorElementType Type, int[] Shape)[] All(int side) =>
    [
        ("score", TensorElementType.Float, [-1]),
        ("anomaly_map", TensorElementType.Float, [-1, side, side]),
        ("probability", TensorElementType.Float, [-1]),
        ("is_anomalous", TensorElementType.Bool, [-1]),
        ("unlikeness", TensorElementType.Float, [-1]),
        ("is_foreign", TensorElementType.Bool, [-1]),
    ];

    /// <summary>The verdict on one image, with its map of S × S.</summary>
    /// <param name="image">Its place in the batch.</param>
    /// <param name="info">Of the model.</param>
    public Inspection Of(int image, OnnxModelInfo info)
    {
        var side = info.ImageSize;
        return new(Number(Score), Flag(IsAnomalous), info.Calibration.Threshold, Number(Probability),
            values[Map].GetTensorDataAsSpan<float>().Slice(image * side * side, side * side).ToArray(), side, side)
        {
            Unlikeness = Number(Unlikeness),
            IsForeign = Flag(IsForeign),
        };

        float Number(int output) => values[output].GetTensorDataAsSpan<float>()[image];
        bool Flag(int output) => values[output].GetTensorDataAsSpan<bool>()[image];
    }
}
