using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Onnx.Schema;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>A fitted model, its files and a few photographs, shared by the tests of a class.</summary>
public sealed class ExportedPart : IDisposable
{
    public const int Side = 112;

    private readonly string root = Directory.CreateTempSubdirectory("kagprompt-onnx-").FullName;

    public ExportedPart()
    {
        var ml = new MLContext(seed: 1);
        var normal = Enumerable.Range(0, 4).Select(i => Write($"normal{i}.png", TestImages.Part(120, 90, i))).ToArray();
        // Sizes differ: a model takes any.
        Queries = [.. Enumerable.Range(0, 5).Select(i => Write($"query{i}.png", TestImages.Part(96 + (8 * (i % 3)), 90, 100 + i, defective: i >= 3)))];
        Transformer = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions
        {
            Images = new() { Size = Side },
            Device = "cpu",
        })).Fit(Rows(ml, normal));
        File = Path("part.onnx");
        Model.ExportOnnx(File);
    }

    public TransformerChain<KagPromptTransformer> Transformer { get; }

    public KagPromptModel Model => Transformer.LastTransformer.Model;

    /// <summary>The exported file.</summary>
    public string File { get; }

    /// <summary>Three good, then two defective.</summary>
    public string[] Queries { get; }

    public PixelBuffer[] Images => [.. Queries.Select(path => ImageCodec.Read(path))];

    public string Path(string name) => System.IO.Path.Combine(root, name);

    public static IDataView Rows(MLContext ml, IEnumerable<string> paths)
        => ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }).ToArray());

    /// <summary>The file with something in it changed, as a program would that writes such files.</summary>
    internal byte[] With(Action<ModelProto> change)
    {
        var model = ModelProto.Parser.ParseFrom(System.IO.File.ReadAllBytes(File));
        change(model);
        if (model.MetadataProps.SingleOrDefault(entry => entry.Key == "kagprompt.graph_sha256") is { } hash)
        {
            hash.Value = HashOf(model.Graph.ToByteArray());
        }

        return model.ToByteArray();
    }

    internal static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The same with a named text changed, or taken away.</summary>
    internal byte[] WithText(string key, string? value) => With(model =>
    {
        var entry = model.MetadataProps.Single(one => one.Key == "kagprompt." + key);
        if (value is null)
        {
            model.MetadataProps.Remove(entry);
        }
        else
        {
            entry.Value = value;
        }
    });

    public string Write(string name, PixelBuffer image)
    {
        TestImages.Write(image, Path(name));
        return Path(name);
    }

    public void Dispose()
    {
        Transformer.Dispose();
        Directory.Delete(root, recursive: true);
    }
}

/// <summary>A row of these tests.</summary>
public sealed class PartRow
{
    public string ImagePath { get; set; } = "";

    public string Product { get; set; } = "object";
}
