using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>What an exported model computes of a batch of images.</summary>
internal sealed class ExportedOutputs
{
    private const int Score = 0, Map = 1, Probability = 2, IsAnomalous = 3, Unlikeness = 4, IsForeign = 5;

    private readonly IReadOnlyList<OrtValue> values;

    /// <summary>What a file declares of its outputs is a promise: what they are is seen here.</summary>
    /// <param name="values">The outputs, by <see cref="Names"/>.</param>
    /// <param name="images">How many went in.</param>
    /// <param name="side">S of the model.</param>
    /// <exception cref="ModelFormatException">An output has another type or shape.</exception>
    public ExportedOutputs(IReadOnlyList<OrtValue> values, int images, int side)
    {
        foreach (var ((name, type, shape), value) in All(side).Zip(values))
        {
            var due = shape.Select(size => size < 0 ? images : (long)size).ToArray();
            var found = value.OnnxType == OnnxValueType.ONNX_TYPE_TENSOR ? value.GetTensorTypeAndShape() : default;
            if (value.OnnxType != OnnxValueType.ONNX_TYPE_TENSOR || found.ElementDataType != type
                || !found.Shape.AsSpan().SequenceEqual(due))
            {
                throw new ModelFormatException($"The exported model computes something else: expected {name} of {type} "
                    + $"[{string.Join(", ", due)}], got {(value.OnnxType == OnnxValueType.ONNX_TYPE_TENSOR
                        ? $"{found.ElementDataType} [{string.Join(", ", found.Shape)}]" : $"{value.OnnxType}")}. Export the model again.");
            }
        }

        this.values = values;
    }

    /// <summary>Their names, in the order that <see cref="Inspection(int, OnnxModelInfo)"/> expects.</summary>
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
    public Inspection Inspection(int image, OnnxModelInfo info)
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
