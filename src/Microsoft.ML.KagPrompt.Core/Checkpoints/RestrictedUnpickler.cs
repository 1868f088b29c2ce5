using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Reads the few pickle instructions PyTorch writes for tensors in dictionaries. A pickle is a program: this interpreter knows numbers,
/// texts, containers, storages and the tensor rebuilders, and refuses to name or call anything else.
/// </summary>
internal sealed class RestrictedUnpickler
{
    private const int MostObjects = 5_000_000;
    // Dictionaries may be shared: what they hold in all is counted as often as it is reached.
    private const int MostItems = 1_000_000;
    private const int DeepestNesting = 32;

    private readonly string origin;
    private readonly PickleBytes bytes;
    private readonly PickleStack stack;
    private readonly PickleCalls calls;
    private int objects;
    private int items;

    public RestrictedUnpickler(string origin, byte[] pickle)
    {
        (this.origin, bytes) = (origin, new PickleBytes(origin, pickle));
        (stack, calls) = (new PickleStack(bytes), new PickleCalls(bytes));
    }

    /// <summary>Runs to the end and returns the one object left.</summary>
    public object? Load()
    {
        try
        {
            while (true)
            {
                if (++objects > MostObjects)
                {
                    throw bytes.Refuse($"more than {MostObjects} instructions");
                }

                var code = bytes.Byte();
                if (code == (byte)'.')
                {
                    var result = stack.Pop();
                    return stack.Count == 0 ? Checked(result, 0) : throw bytes.Refuse("objects left over at its end");
                }

                Execute(code);
            }
        }
        catch (Exception fault) when (fault is ArgumentOutOfRangeException or IndexOutOfRangeException or InvalidCastException
            or OverflowException or DecoderFallbackException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new CheckpointFormatException(
                $"{origin} is damaged: its pickle does not make sense at byte {bytes.Position} ({fault.Message}). Fetch the file again.",
                fault);
        }
    }

    private void Execute(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                if (bytes.Byte() is var protocol and > 5)
                {
                    throw bytes.Refuse($"protocol {protocol}");
                }

                break;
            case 0x95: // FRAME
                bytes.Take(8);
                break;
            case (byte)'(':
                stack.PushMark();
                break;
            case (byte)'N':
                stack.Push(null);
                break;
            case 0x88:
                stack.Push(true);
                break;
            case 0x89:
                stack.Push(false);
                break;
            case (byte)'K':
                stack.Push((long)bytes.Byte());
                break;
            case (byte)'M':
                stack.Push((long)BinaryPrimitives.ReadUInt16LittleEndian(bytes.Take(2)));
                break;
            case (byte)'J':
                stack.Push((long)BinaryPrimitives.ReadInt32LittleEndian(bytes.Take(4)));
                break;
            case 0x8a: // LONG1
                stack.Push(bytes.Long(bytes.Take(bytes.Byte())));
                break;
            case (byte)'G':
                stack.Push(BinaryPrimitives.ReadDoubleBigEndian(bytes.Take(8)));
                break;
            case (byte)'X':
                stack.Push(bytes.Text(bytes.Count()));
                break;
            case 0x8c: // SHORT_BINUNICODE
                stack.Push(bytes.Text(bytes.Byte()));
                break;
            case (byte)')':
                stack.Push(Array.Empty<object?>());
                break;
            case (byte)'t':
                stack.Push(stack.PopToMark());
                break;
            case 0x85:
                stack.Push(new[] { stack.Pop() });
                break;
            case 0x86:
                stack.PushTuple(2);
                break;
            case 0x87:
                stack.PushTuple(3);
                break;
            case (byte)']':
                stack.Push(new List<object?>());
                break;
            case (byte)'a':
                stack.AppendAll([stack.Pop()]);
                break;
            case (byte)'e':
                stack.AppendAll(stack.PopToMark());
                break;
            case (byte)'}':
                stack.Push(new PickledDictionary());
                break;
            case (byte)'s':
                var (value, key) = (stack.Pop(), stack.Pop());
                stack.SetAll([key, value]);
                break;
            case (byte)'u':
                stack.SetAll(stack.PopToMark());
                break;
            case (byte)'q':
                stack.Remember(bytes.Byte());
                break;
            case (byte)'r':
                stack.Remember(bytes.Count());
                break;
            case 0x94: // MEMOIZE
                stack.Remember();
                break;
            case (byte)'h':
                stack.Recall(bytes.Byte());
                break;
            case (byte)'j':
                stack.Recall(bytes.Count());
                break;
            case (byte)'c':
                stack.Push(calls.Name(bytes.Line(), bytes.Line()));
                break;
            case 0x93: // STACK_GLOBAL
                var (name, module) = (bytes.As<string>(stack.Pop()), bytes.As<string>(stack.Pop()));
                stack.Push(calls.Name(module, name));
                break;
            case (byte)'Q': // BINPERSID
                stack.Push(calls.Storage(bytes.As<object?[]>(stack.Pop())));
                break;
            case (byte)'R':
                var (arguments, callable) = (bytes.As<object?[]>(stack.Pop()), bytes.As<PickleCalls.Callable>(stack.Pop()));
                stack.Push(calls.Call(callable, arguments));
                break;
            case (byte)'b': // BUILD: an OrderedDict's attributes, such as _metadata, hold no weights.
                stack.Pop();
                if (stack.Top() is not PickledDictionary)
                {
                    throw bytes.Refuse("state for something other than a dictionary");
                }

                break;
            default:
                throw bytes.Refuse($"instruction 0x{code:x2}, which tensors do not need");
        }
    }

    /// <summary>Refuses containers that hold themselves, or nest deeper than any checkpoint does.</summary>
    private object? Checked(object? value, int depth)
    {
        if (depth > DeepestNesting)
        {
            throw bytes.Refuse($"dictionaries nested deeper than {DeepestNesting}, or within themselves");
        }

        foreach (var (_, item) in (value as PickledDictionary)?.Items ?? [])
        {
            if (++items > MostItems)
            {
                throw bytes.Refuse($"more than {MostItems} entries");
            }

            Checked(item, depth + 1);
        }

        return value;
    }
}
