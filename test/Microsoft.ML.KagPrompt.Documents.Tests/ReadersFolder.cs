using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Documents.Tests;

/// <summary>
/// What the pages suppose a reader has in the working directory: photographs, a data set, a fitted model. Copied anew for each page.
/// </summary>
public sealed class ReadersFolder : IDisposable
{
    private const int Width = 96, Height = 90;

    private readonly string root = Directory.CreateTempSubdirectory("kagprompt-documents-").FullName;
    private readonly string before = Directory.GetCurrentDirectory();

    public ReadersFolder()
    {
        for (var i = 1; i <= 4; i++)
        {
            Write($"photographs/good/{i}.png", TestImages.Part(Width, Height, i));
            Write($"data/bolts/train/good/{i}.png", TestImages.Part(Width, Height, i));
            Write($"nuts/{i}.png", Negative(TestImages.Part(Width, Height, i)));
        }

        for (var i = 1; i <= 2; i++)
        {
            var (sound, defective) = (TestImages.Part(Width, Height, 20 + i), TestImages.Part(Width, Height, 20 + i, defective: true));
            Write($"photographs/scratched/{i}.png", TestImages.Part(Width, Height, 10 + i, defective: true));
            Write($"data/bolts/test/good/{i}.png", sound);
            Write($"data/bolts/test/scratched/{i}.png", defective);
            Write($"data/bolts/ground_truth/scratched/{i}_mask.png", Difference(sound, defective));
            Write($"incoming/{i}.png", TestImages.Part(Width, Height, 30 + i, defective: i == 2));
        }

        var ml = new MLContext(seed: 1);
        var good = ml.Data.LoadAnomalyDataset(In("photographs"), split: DatasetSplit.Train);
        using var model = ml.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = 0 } })).Fit(good);
        ml.Model.Save(model, good.Schema, In("bolt.zip"));
        model.LastTransformer.ExportOnnx(In("bolt.onnx"));
    }

    /// <summary>Makes a copy the working directory.</summary>
    public void Enter()
    {
        var copy = Directory.CreateDirectory(Path.Combine(root, "copies", Guid.NewGuid().ToString("N"))).FullName;
        foreach (var file in Directory.GetFiles(In(""), "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(In(""), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        Directory.SetCurrentDirectory(copy);
    }

    public void Dispose()
    {
        Directory.SetCurrentDirectory(before);
        Directory.Delete(root, recursive: true);
    }

    private string In(string name) => Path.Combine(root, "reader", name);

    private void Write(string name, PixelBuffer image)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        TestImages.Write(image, In(name));
    }

    private static PixelBuffer Negative(PixelBuffer image)
        => new(image.Width, image.Height, Array.ConvertAll(image.Rgb, value => (byte)(255 - value)));

    private static PixelBuffer Difference(PixelBuffer one, PixelBuffer other)
    {
        var marks = new byte[one.Rgb.Length];
        for (var p = 0; p < marks.Length; p++)
        {
            var first = p / 3 * 3;
            marks[p] = (byte)(one.Rgb.AsSpan(first, 3).SequenceEqual(other.Rgb.AsSpan(first, 3)) ? 0 : 255);
        }

        return new PixelBuffer(one.Width, one.Height, marks);
    }
}
