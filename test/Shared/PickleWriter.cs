using System.Text;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Writes pickle instructions one by one.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream bytes = new();

    public PickleWriter Op(int code)
    {
        bytes.WriteByte((byte)code);
        return this;
    }

    public PickleWriter Empty() => Op('}');

    public PickleWriter Mark() => Op('(');

    public PickleWriter Global(string module, string name)
    {
        bytes.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));
        return this;
    }

    public PickleWriter Text(string text)
    {
        Op('X');
        bytes.Write(BitConverter.GetBytes(text.Length));
        bytes.Write(Encoding.ASCII.GetBytes(text));
        return this;
    }

    public PickleWriter Number(long value)
    {
        Op('J');
        bytes.Write(BitConverter.GetBytes((int)value));
        return this;
    }

    /// <summary>As torch.save writes a tensor.</summary>
    public PickleWriter Tensor(string key, string type, int count, long offset, long[] sizes, long[] strides)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Mark();
        Mark().Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Op('t').Op('Q');
        Number(offset);
        Tuple(sizes);
        Tuple(strides);
        Op(0x89);
        Global("collections", "OrderedDict").Op(')').Op('R');
        return Op('t').Op('R');
    }

    public byte[] ToArray() => bytes.ToArray();

    private void Tuple(long[] values)
    {
        Mark();
        foreach (var value in values)
        {
            Number(value);
        }

        Op('t');
    }
}
