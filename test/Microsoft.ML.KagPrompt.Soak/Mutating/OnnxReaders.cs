using Google.Protobuf;
using Microsoft.ML.KagPrompt.Onnx.Schema;
using Microsoft.ML.KagPrompt.OnnxReading;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Readers of exported models.</summary>
internal static class OnnxReaders
{
    public static IEnumerable<MutatedReader> All()
    {
        using var exported = new MemoryStream();
        using (var model = KagPromptModel.Load(new MemoryStream(ModelZip.Entry(File.ReadAllBytes(ModelZip.Version010), "KagPrompt.safetensors")), "cpu"))
        {
            model.ExportOnnx(exported, new() { ClassName = model.ClassNames.First() });
        }

        var whole = exported.ToArray();
        var small = WithoutWeights(whole);
        yield return new("ONNX file", random => Mutation.Changed(small, random), bytes => ExportedFile.Read(bytes, "mutated"));
        // What passes our reader is the runtime's to refuse, which is native: a fault of its own ends the process.
        yield return new("ONNX in its runtime", random => Mutation.Changed(whole, random), bytes => OnnxInspector.Load(bytes).Dispose()) { Every = 32 };
    }

    /// <summary>Of what is left, every byte means something.</summary>
    private static byte[] WithoutWeights(byte[] file)
    {
        var model = ModelProto.Parser.ParseFrom(file);
        foreach (var constant in model.Graph.Initializer.Where(constant => constant.RawData.Length > 256))
        {
            constant.RawData = ByteString.CopyFrom(constant.RawData.Span[..16]);
        }

        return model.ToByteArray();
    }
}
