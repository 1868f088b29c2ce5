using System.Runtime.InteropServices;
using System.Text.Json;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Reads safetensors as plain arrays, so that golden values reach rooms that know no checkpoints without the library's own reader.</summary>
internal sealed class GoldenTensors
{
    private readonly byte[] file;
    private readonly int dataStart;
    private readonly JsonElement header;

    /// <summary>Reads a golden file.</summary>
    public GoldenTensors(string path)
    {
        file = File.ReadAllBytes(path);
        var headerLength = (int)BitConverter.ToInt64(file, 0);
        dataStart = 8 + headerLength;
        header = JsonDocument.Parse(file.AsMemory(8, headerLength)).RootElement;
    }

    /// <summary>Keys of the tensors.</summary>
    public string[] Names => [.. header.EnumerateObject().Select(entry => entry.Name).Where(name => name != "__metadata__")];

    /// <summary>Sizes of a tensor, outermost first.</summary>
    public int[] Shape(string name) => [.. header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    /// <summary>Values of a tensor, row by row.</summary>
    public T[] Values<T>(string name) where T : struct
    {
        var type = header.GetProperty(name).GetProperty("dtype").GetString();
        type.Should().Be(default(T) switch { byte => "U8", long => "I64", float => "F32", double => "F64", _ => "" }, $"{name} is read as {typeof(T).Name}");
        var offsets = header.GetProperty(name).GetProperty("data_offsets");
        return MemoryMarshal.Cast<byte, T>(file.AsSpan((dataStart + offsets[0].GetInt32())..(dataStart + offsets[1].GetInt32()))).ToArray();
    }
}
