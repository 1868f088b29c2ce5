using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>MobileNetV2 (ImageNet), run from its graph up to the last 96-channel addition; its taps are the last addition of 24, 32, 64 and 96 channels.</summary>
internal sealed class Teacher : IDisposable
{
    public static IReadOnlyList<int> TapWidths { get; } = [24, 32, 64, 96];

    private readonly List<(string Op, int? Conv, int[] Inputs, int Output, int Stride, bool Relu6)> operations = [];
    private readonly WeightSet weights;
    private readonly int[] taps;

    public Teacher(string folder, ScalarType type = ScalarType.Float32)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, "mobilenet_v2_imagenet.safetensors"));
        weights = new WeightSet(file.Entries.Keys.ToDictionary(name => name, name => file.Read(name).to(type)));

        using var graph = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "mobilenet_v2_imagenet.graph.json")));
        var widths = new Dictionary<int, long>();
        var lastOfWidth = new Dictionary<long, int>();
        foreach (var op in graph.RootElement.EnumerateArray())
        {
            int? conv = op.GetProperty("conv").ValueKind == JsonValueKind.Null ? null : op.GetProperty("conv").GetInt32();
            var inputs = op.GetProperty("inp").EnumerateArray().Select(i => i.GetInt32()).ToArray();
            var output = op.GetProperty("out").GetInt32();
            var kind = op.GetProperty("op").GetString()!;
            if (kind is not ("QUANTIZE" or "CONV_2D" or "DEPTHWISE_CONV_2D" or "ADD"))
            {
                break;
            }

            widths[output] = conv is { } n ? weights[$"conv{n:00}.weight"].shape[0] : widths.GetValueOrDefault(inputs[0], 3);
            if (kind == "ADD")
            {
                lastOfWidth[widths[output]] = output;
            }

            operations.Add((kind, conv, inputs, output, op.GetProperty("stride").ValueKind == JsonValueKind.Null ? 1 : op.GetProperty("stride").GetInt32(), op.GetProperty("relu6").GetBoolean()));
        }

        taps = [.. TapWidths.Select(width => lastOfWidth[width])];
        operations.RemoveRange(operations.FindIndex(op => op.Output == taps[^1]) + 1, operations.Count - 1 - operations.FindIndex(op => op.Output == taps[^1]));
    }

    /// <summary>Images in −1..1 → maps of strides 4, 8, 16, 16.</summary>
    public IReadOnlyList<Tensor> Forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var values = new Dictionary<int, Tensor> { [operations[0].Inputs[0]] = images };
        foreach (var (op, conv, inputs, output, stride, relu6) in operations)
        {
            values[output] = op switch
            {
                "QUANTIZE" => values[inputs[0]],
                "ADD" => values[inputs[0]].Plus(values[inputs[1]]),
                _ => Convolve(values[inputs[0]], conv!.Value, op == "DEPTHWISE_CONV_2D", stride, relu6),
            };
        }

        return [.. taps.Select(tap => values[tap].MoveToOuterDisposeScope())];
    }

    public void MoveTo(Device device) => weights.MoveTo(device);

    public void Dispose() => weights.Dispose();

    /// <summary>TensorFlow's SAME: with stride 2 and an even side, one row and column more at the end than at the start.</summary>
    private Tensor Convolve(Tensor x, int conv, bool depthwise, int stride, bool relu6)
    {
        var (weight, bias) = (weights[$"conv{conv:00}.weight"], weights[$"conv{conv:00}.bias"]);
        var kernel = weight.shape[2];
        if (kernel > 1)
        {
            var total = Math.Max(0, (((x.shape[2] + stride - 1) / stride) - 1) * stride + kernel - x.shape[2]);
            x = functional.pad(x, [total / 2, total - (total / 2), total / 2, total - (total / 2)]);
        }

        var y = depthwise ? functional.conv2d(x, weight, bias, strides: [stride, stride], groups: weight.shape[0]) : Convolution.Apply(x, weight, bias, stride);
        return relu6 ? functional.relu6(y, inplace: true) : y;
    }
}
