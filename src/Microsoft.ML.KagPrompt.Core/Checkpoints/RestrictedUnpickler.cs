using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Reads the few pickle instructions PyTorch writes for tensors in dictionaries. A pickle is a program: this interpreter knows numbers,
/// texts, containers, storages and the tensor rebuilders, and refuses to name or call anything else.
/// </summary>
internal sealed class RestrictedUnpickler(string origin, byte[] pickle)
{
    private const int MostObjects = 5_000_000;
    // Dictionaries may be shared: what they hold in all is counted as often as it is reached.
    private const int MostItems = 1_000_000;
    private const int LargestRank = 16;
    private const int DeepestNesting = 32;

    private static readonly object Mark = new();

    private readonly List<object?> stack = [];
    private readonly Dictionary<int, object?> memo = [];
    private int position;
    private int objects;
    private int items;

    private sealed record Callable(string Module, string Name);

    /// <summary>Runs to the end and returns the one object left.</summary>
    public object? Load()
    {
        try
        {
            while (true)
            {
                if (++objects > MostObjects)
                {
                    throw Refuse($"more than {MostObjects} instructions");
                }

                var code = Byte();
                if (code == (byte)'.')
                {
                    var result = Pop();
                    return stack.Count == 0 ? Checked(result, 0) : throw Refuse("objects left over at its end");
                }

                Execute(code);
            }
        }
        catch (Exception fault) when (fault is ArgumentOutOfRangeException or IndexOutOfRangeException or InvalidCastException
            or OverflowException or DecoderFallbackException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new CheckpointFormatException(
                $"{origin} is damaged: its pickle does not make sense at byte {position} ({fault.Message}). Fetch the file again.",
                fault);
        }
    }

    private void Execute(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                if (Byte() is var protocol and > 5)
                {
                    throw Refuse($"protocol {protocol}");
                }

                break;
            case 0x95: // FRAME
                Take(8);
                break;
            case (byte)'(':
                Push(Mark);
                break;
            case (byte)'N':
                Push(null);
                break;
            case 0x88:
                Push(true);
                break;
            case 0x89:
                Push(false);
                break;
            case (byte)'K':
                Push((long)Byte());
                break;
            case (byte)'M':
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                break;
            case (byte)'J':
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                break;
            case 0x8a: // LONG1
                Push(Long(Take(Byte())));
                break;
            case (byte)'G':
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            case (byte)'X':
                Push(Text(checked((int)BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))));
                break;
            case 0x8c: // SHORT_BINUNICODE
                Push(Text(Byte()));
                break;
            case (byte)')':
                Push(Array.Empty<object?>());
                break;
            case (byte)'t':
                Push(PopToMark());
                break;
            case 0x85:
                Push(new[] { Pop() });
                break;
            case 0x86:
                PushTuple(2);
                break;
            case 0x87:
                PushTuple(3);
                break;
            case (byte)']':
                Push(new List<object?>());
                break;
            case (byte)'a':
                AppendAll([Pop()]);
                break;
            case (byte)'e':
                AppendAll(PopToMark());
                break;
            case (byte)'}':
                Push(new PickledDictionary());
                break;
            case (byte)'s':
                var (value, key) = (Pop(), Pop());
                SetAll([key, value]);
                break;
            case (byte)'u':
                SetAll(PopToMark());
                break;
            case (byte)'q':
                memo[Byte()] = Top();
                break;
            case (byte)'r':
                memo[checked((int)BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))] = Top();
                break;
            case 0x94: // MEMOIZE
                memo[memo.Count] = Top();
                break;
            case (byte)'h':
                Push(memo[Byte()]);
                break;
            case (byte)'j':
                Push(memo[checked((int)BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))]);
                break;
            case (byte)'c':
                Push(Name(Line(), Line()));
                break;
            case 0x93: // STACK_GLOBAL
                var (name, module) = (As<string>(Pop()), As<string>(Pop()));
                Push(Name(module, name));
                break;
            case (byte)'Q': // BINPERSID
                Push(Storage(As<object?[]>(Pop())));
                break;
            case (byte)'R':
                var (arguments, callable) = (As<object?[]>(Pop()), As<Callable>(Pop()));
                Push(Call(callable, arguments));
                break;
            case (byte)'b': // BUILD: an OrderedDict's attributes, such as _metadata, hold no weights.
                Pop();
                if (Top() is not PickledDictionary)
                {
                    throw Refuse("state for something other than a dictionary");
                }

                break;
            default:
                throw Refuse($"instruction 0x{code:x2}, which tensors do not need");
        }
    }

    /// <summary>The only names a checkpoint of tensors needs.</summary>
    private Callable Name(string module, string name)
    {
        var known = (module, name) is ("collections", "OrderedDict")
                or ("torch._utils", "_rebuild_tensor_v2")
                or ("torch._utils", "_rebuild_parameter")
            || (module == "torch" && StorageType(name) is not null);
        return known ? new Callable(module, name) : throw new CheckpointFormatException(
            $"{origin} asks to use '{module}.{name}', which tensors do not need: the file is refused. "
            + "If you trust it, load it in Python and save its state_dict alone.");
    }

    private object Call(Callable callable, object?[] arguments) => callable.Name switch
    {
        "OrderedDict" when arguments.Length == 0 => new PickledDictionary(),
        "_rebuild_tensor_v2" when arguments.Length >= 4
            => Rebuild(As<PickledStorage>(arguments[0]), As<long>(arguments[1]), Sizes(arguments[2]), Sizes(arguments[3])),
        "_rebuild_parameter" when arguments.Length >= 1 => As<PickledTensor>(arguments[0]),
        _ => throw Refuse($"a call of {callable.Name} with {arguments.Length} arguments"),
    };

    private PickledTensor Rebuild(PickledStorage storage, long offset, long[] shape, long[] strides)
        => offset >= 0 && shape.Length == strides.Length && shape.Length <= LargestRank
            && shape.All(size => size is >= 0 and <= int.MaxValue) && strides.All(stride => stride is >= 0 and <= int.MaxValue)
            ? new PickledTensor(storage, offset, shape, strides)
            : throw Refuse($"a tensor with offset {offset}, sizes [{string.Join(", ", shape)}], strides [{string.Join(", ", strides)}]");

    private long[] Sizes(object? tuple) => [.. As<object?[]>(tuple).Select(As<long>)];

    /// <summary>("storage", type, key, device, count).</summary>
    private PickledStorage Storage(object?[] id)
    {
        if (id is not ["storage", Callable { Module: "torch" } type, string key, string, long count]
            || StorageType(type.Name) is not { } known || count < 0
            || key.Length is 0 or > 20 || !key.All(char.IsAsciiDigit))
        {
            throw Refuse("a reference that is no tensor storage");
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

    /// <summary>Refuses containers that hold themselves, or nest deeper than any checkpoint does.</summary>
    private object? Checked(object? value, int depth)
    {
        if (depth > DeepestNesting)
        {
            throw Refuse($"dictionaries nested deeper than {DeepestNesting}, or within themselves");
        }

        foreach (var (_, item) in (value as PickledDictionary)?.Items ?? [])
        {
            if (++items > MostItems)
            {
                throw Refuse($"more than {MostItems} entries");
            }

            Checked(item, depth + 1);
        }

        return value;
    }

    private void AppendAll(object?[] items) => As<List<object?>>(Top()).AddRange(items);

    private void SetAll(object?[] items)
    {
        var dictionary = As<PickledDictionary>(Top());
        for (var i = 0; i < items.Length; i += 2)
        {
            var key = items[i] as string ?? (object?)(items[i] as long?) ?? throw Refuse("a key that is neither text nor number");
            dictionary.Items.Add(new(key, items[i + 1]));
        }
    }

    /// <summary>What an instruction takes, where it is of that kind.</summary>
    private T As<T>(object? value)
        => value is T known ? known : throw Refuse($"{value?.GetType().Name ?? "nothing"} where {typeof(T).Name} belongs");

    private void Push(object? value) => stack.Add(value);

    private object? Top() => ReferenceEquals(stack[^1], Mark) ? throw Refuse("a mark where an object belongs") : stack[^1];

    private object? Pop()
    {
        var top = Top();
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private void PushTuple(int count)
    {
        var items = new object?[count];
        for (var i = count - 1; i >= 0; i--)
        {
            items[i] = Pop();
        }

        Push(items);
    }

    private object?[] PopToMark()
    {
        var mark = stack.LastIndexOf(Mark);
        var items = stack.GetRange(mark + 1, stack.Count - mark - 1).ToArray();
        stack.RemoveRange(mark, stack.Count - mark);
        return items;
    }

    private byte Byte() => pickle[position++];

    private ReadOnlySpan<byte> Take(int count)
    {
        var bytes = pickle.AsSpan(position, count);
        position += count;
        return bytes;
    }

    private string Text(int count) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Take(count));

    private string Line()
    {
        var length = pickle.AsSpan(position).IndexOf((byte)'\n');
        var line = Encoding.ASCII.GetString(Take(length));
        position++;
        return line;
    }

    private long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
        {
            throw Refuse($"an integer of {bytes.Length} bytes");
        }

        var value = bytes.Length > 0 && (bytes[^1] & 0x80) != 0 ? -1L : 0L;
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        return value;
    }

    private CheckpointFormatException Refuse(string what)
        => new($"{origin} is damaged or hostile: its pickle holds {what} (byte {position}). "
            + "Fetch the file again from where it was published.");
}
