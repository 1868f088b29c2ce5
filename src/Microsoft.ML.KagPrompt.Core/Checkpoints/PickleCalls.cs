using Microsoft.ML.KagPrompt.Diagnostics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>What a pickle of tensors may name and call: ordered dictionaries, storages and the tensor rebuilders.</summary>
internal sealed class PickleCalls(PickleBytes bytes)
{
    private const int LargestRank = 16;

    public sealed record Callable(string Module, string Name);

    /// <summary>The only names a checkpoint of tensors needs.</summary>
    public Callable Name(string module, string name)
    {
        var known = (module, name) is ("collections", "OrderedDict")
                or ("torch._utils", "_rebuild_tensor_v2")
                or ("torch._utils", "_rebuild_parameter")
            || (module == "torch" && StorageType(name) is not null);
        return known ? new Callable(module, name) : throw new CheckpointFormatException(
            $"{bytes.Origin} asks to use '{module}.{name}', which tensors do not need: the file is refused. "
            + "If you trust it, load it in Python and save its state_dict alone.");
    }

    /// <summary>Calls one of those names.</summary>
    public object Call(Callable callable, object?[] arguments) => callable.Name switch
    {
        "OrderedDict" when arguments.Length == 0 => new PickledDictionary(),
        "_rebuild_tensor_v2" when arguments.Length >= 4
            => Rebuild(bytes.As<PickledStorage>(arguments[0]), bytes.As<long>(arguments[1]), Sizes(arguments[2]), Sizes(arguments[3])),
        "_rebuild_parameter" when arguments.Length >= 1 => bytes.As<PickledTensor>(arguments[0]),
        _ => throw bytes.Refuse($"a call of {callable.Name} with {arguments.Length} arguments"),
    };

    private PickledTensor Rebuild(PickledStorage storage, long offset, long[] shape, long[] strides)
        => offset >= 0 && shape.Length == strides.Length && shape.Length <= LargestRank
            && shape.All(size => size is >= 0 and <= int.MaxValue) && strides.All(stride => stride is >= 0 and <= int.MaxValue)
            ? new PickledTensor(storage, offset, shape, strides)
            : throw bytes.Refuse($"a tensor with offset {offset}, sizes [{string.Join(", ", shape)}], "
                + $"strides [{string.Join(", ", strides)}]");

    private long[] Sizes(object? tuple) => [.. bytes.As<object?[]>(tuple).Select(bytes.As<long>)];

    /// <summary>("storage", type, key, device, count).</summary>
    public PickledStorage Storage(object?[] id)
    {
        if (id is not ["storage", Callable { Module: "torch" } type, string key, string, long count]
            || StorageType(type.Name) is not { } known || count < 0
            || key.Length is 0 or > 20 || !key.All(char.IsAsciiDigit))
        {
            throw bytes.Refuse("a reference that is no tensor storage");
        }

        return new PickledStorage(key, known.Type, known.Size, count);
    }

    private static (ScalarType Type, int Size)? StorageType(string name) => name switch
    {
        "FloatStorage" => (ScalarType.Float32, 4),
        "HalfStorage" => (ScalarType.Float16, 2),
        "BFloat16Storage" => (ScalarType.BFloat16, 2),
        "DoubleStorage" => (ScalarType.Float64, 8),
        "LongStorage" => (ScalarType.Int64, 8),
        "IntStorage" => (ScalarType.Int32, 4),
        "ShortStorage" => (ScalarType.Int16, 2),
        "CharStorage" => (ScalarType.Int8, 1),
        "ByteStorage" => (ScalarType.Byte, 1),
        "BoolStorage" => (ScalarType.Bool, 1),
        _ => null,
    };
}
