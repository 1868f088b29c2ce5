using System.IO.Compression;
using System.Text;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>What a saved model gives away of the machine and the photographs it was made from.</summary>
public sealed class PrivacyTests : IDisposable
{
    private const string Folder = "customer-4711-secret";
    private const string Camera = "CAMERA-OWNER-Q7";

    private readonly string root = Directory.CreateDirectory(Path.Combine(Directory.CreateTempSubdirectory("kagprompt-private-").FullName, Folder)).FullName;

    [Theory]
    [InlineData("resnet18", 0)]
    [InlineData("compact", 1)]
    public void Save_ModelOfPhotographs_HoldsNoFolderNameAndNoExif(string backbone, int epochs)
    {
        var ml = new MLContext(seed: 1);
        byte[] exif = [.. ImageBytes.Exif(1), .. Encoding.ASCII.GetBytes(Camera)];
        var paths = Enumerable.Range(0, 4).Select(i =>
        {
            var path = Path.Combine(root, $"part{i}.jpg");
            File.WriteAllBytes(path, ImageBytes.WithExif(ImageCodec.EncodeJpeg(TestImages.Part(96, 90, i)), exif));
            return path;
        }).ToArray();
        File.ReadAllBytes(paths[0]).AsSpan().IndexOf(Encoding.ASCII.GetBytes(Camera)).Should().BePositive("else nothing is tried");
        var rows = ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }).ToArray());
        var options = new KagPromptOptions
        {
            Backbone = new() { Name = backbone },
            Images = new() { Size = 56 },
            Training = new() { Epochs = epochs, CheckpointFolder = epochs > 0 ? Path.Combine(root, "checkpoints") : null },
            Device = "cpu",
        };
        // The transformer alone, and the pipeline around it: LoadImages' own folder is its user's to name.
        using var model = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag(options)).Fit(rows);
        using var saved = new MemoryStream();
        ml.Model.Save(model, rows.Schema, saved);
        using var zip = new ZipArchive(saved, ZipArchiveMode.Read);
        zip.Entries.Should().NotBeEmpty();
        foreach (var entry in zip.Entries)
        {
            using var content = new MemoryStream();
            using (var source = entry.Open())
            {
                source.CopyTo(content);
            }

            foreach (var word in new[] { Folder, Camera, Path.GetTempPath() })
            {
                foreach (var encoding in new[] { Encoding.UTF8, Encoding.Unicode })
                {
                    content.ToArray().AsSpan().IndexOf(encoding.GetBytes(word)).Should().Be(-1, $"'{word}' is nobody's business ({entry.FullName})");
                }
            }
        }
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(root)!, recursive: true);
}
