using System.Security.Cryptography;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Onnx;

/// <summary>A constant of a computation. Its graph owns the values.</summary>
/// <param name="Name">In the graph.</param>
/// <param name="Values">On the CPU, row by row.</param>
internal sealed record OnnxConstant(string Name, torch.Tensor Values)
{
    /// <summary>What ONNX calls the type.</summary>
    public DataType Type => TypeOf(Values.dtype);

    /// <summary>Length of the values in bytes.</summary>
    public long ByteCount => Values.numel() * Values.element_size();

    public static DataType TypeOf(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Float32 => DataType.Float,
        torch.ScalarType.Float16 => DataType.Float16,
        torch.ScalarType.Int64 => DataType.Int64,
        torch.ScalarType.Byte => DataType.Uint8,
        torch.ScalarType.Int8 => DataType.Int8,
        torch.ScalarType.Bool => DataType.Bool,
        _ => throw new NotSupportedException($"A constant of type {type}: expected 32 or 16 bit floats, whole numbers, bytes or marks."),
    };
}

/// <summary>Constants by what they hold: equal ones are one. Owns them.</summary>
internal sealed class OnnxConstants : IDisposable
{
    private readonly Dictionary<string, OnnxConstant> byContent = [];
    private readonly List<OnnxConstant> all = [];

    public IReadOnlyList<OnnxConstant> All => all;

    /// <summary>The name of the constant that holds these values. The tensor stays the caller's.</summary>
    public string NameOf(torch.Tensor tensor)
    {
        using var scope = torch.NewDisposeScope();
        var values = tensor.detach().cpu().contiguous();
        if (values.numel() * values.element_size() is var length and > int.MaxValue)
        {
            throw new NotSupportedException($"A tensor of {length} bytes: expected at most {int.MaxValue} in one of an ONNX file. "
                + "Fit with fewer support images or views of them (Memory), or store weights in 16 bit (Precision Float16).");
        }

        var key = FormattableString.Invariant($"{OnnxConstant.TypeOf(values.dtype)}[{string.Join(',', values.shape)}]")
            + Convert.ToHexString(SHA256.HashData(values.bytes));
        if (!byContent.TryGetValue(key, out var constant))
        {
            constant = new OnnxConstant(FormattableString.Invariant($"constant_{all.Count}"), values.DetachFromDisposeScope());
            byContent.Add(key, constant);
            all.Add(constant);
        }

        return constant.Name;
    }

    public void Dispose() => all.ForEach(constant => constant.Values.Dispose());
}
