using System.Text;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Readers of tables, regions and saved models: nothing here decodes a picture.</summary>
internal static class TableReaders
{
    private const string Csv = "image,class,split,label,defect,mask\na.png,bolt,train,0,,\n\"b, c.png\",bolt,test,1,\"a \"\"scratch\"\"\",m.png\nd.png,nut,validation,normal,good,\n";
    private const string VisA = "object,split,label,image,mask\nbolt,train,normal,a.png,\nbolt,test,anomaly,b.png,m.png\n";

    private const string Lines = """
        {"image":"a.png","class":"bolt","split":"train","label":0}
        {"image":"b.png","class":"bolt","split":"test","label":1,"defect":"dent","mask":"m.png"}

        """;

    private static readonly string[] Regions =
    [
        """{"width":80,"height":60,"inspect":[[[10,10],[70,10],[70,50],[10,50]]],"ignore":[[[20,20],[30,20],[25,30]]]}""",
        """{"inspect":[[[0.1,0.1],[0.9,0.1],[0.9,0.9]]]}""",
    ];

    /// <param name="folder">An empty folder of theirs.</param>
    public static IEnumerable<MutatedReader> All(string folder)
    {
        yield return Table("manifest.csv", Csv, DatasetLayout.Manifest);
        yield return Table("manifest.jsonl", Lines, DatasetLayout.Manifest);
        yield return Table(Path.Combine("split_csv", "1cls.csv"), VisA, DatasetLayout.VisA);
        yield return new("region JSON", random => Mutation.Changed(Encoding.UTF8.GetBytes(Regions[random.Next(Regions.Length)]), random),
            bytes => InspectionRegion.FromJson(Encoding.UTF8.GetString(bytes)));

        var model = ModelZip.Entry(File.ReadAllBytes(ModelZip.Version010), "KagPrompt.safetensors");
        var manifest = "";
        ModelZip.WithManifest(model, text => manifest = text);
        var current = manifest.Replace("\"version\":2", "\"version\":3,\"tensors\":{}", StringComparison.Ordinal);
        yield return new("manifest of a model", random => Mutation.Changed(Encoding.UTF8.GetBytes(manifest), random),
            bytes => ModelManifest.Parse(Encoding.UTF8.GetString(bytes), null));
        yield return new("manifest with its hash", random => Mutation.Changed(Encoding.UTF8.GetBytes(current), random), bytes =>
        {
            var text = Encoding.UTF8.GetString(bytes);
            ModelManifest.Parse(text, HashedText.HashOf(text));
        });
        yield return new("model with another manifest",
            random => ModelZip.WithManifest(model, text => Encoding.UTF8.GetString(Mutation.Changed(Encoding.UTF8.GetBytes(text), random))), Load) { Every = 16 };
        yield return new("model with another header", random =>
        {
            var end = 8 + (int)BitConverter.ToInt64(model);
            var header = Mutation.Changed(model[8..end], random);
            return [.. BitConverter.GetBytes((long)header.Length), .. header, .. model[end..]];
        }, Load)
        { Every = 16 };

        static void Load(byte[] bytes) => KagPromptModel.Load(new MemoryStream(bytes), "cpu").Dispose();

        MutatedReader Table(string name, string text, DatasetLayout layout)
        {
            var root = Directory.CreateDirectory(Path.Combine(folder, layout + Path.GetExtension(name)[1..])).FullName;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, name))!);
            return new($"{layout}'s {name}", random => Mutation.Changed(Encoding.UTF8.GetBytes(text), random),
                WeightReaders.OfFile(Path.Combine(root, name), _ => AnomalyDataset.List(root, layout)));
        }
    }
}
