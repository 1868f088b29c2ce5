using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Examples.Tests;

/// <summary>A temporary folder of a rendered part in MVTec AD's layout (five images to fit on, two good and two defective ones to score), another part's photographs, and models fitted on the first.</summary>
public sealed class PartFolder : IDisposable
{
    private static readonly MLContext Ml = new(seed: 1);

    public PartFolder()
    {
        for (var i = 0; i < 5; i++)
        {
            Write($"bolt/train/good/{i}.png", TestImages.Part(80, 80, i));
            Write($"other/{i}.png", Negative(TestImages.Part(90, 80, i)));
        }

        for (var i = 0; i < 2; i++)
        {
            var (sound, defective) = (TestImages.Part(80, 80, 20 + i), TestImages.Part(80, 80, 20 + i, defective: true));
            Write($"bolt/test/good/{i}.png", sound);
            Write($"bolt/test/bar/{i}.png", defective);
            Write($"bolt/ground_truth/bar/{i}_mask.png", new PixelBuffer(80, 80, [.. Enumerable.Range(0, 80 * 80 * 3).Select(k => (byte)(Enumerable.Range(k / 3 * 3, 3).Any(c => sound.Rgb[c] != defective.Rgb[c]) ? 255 : 0))]));
        }
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("kagprompt-examples-").FullName;

    /// <summary>The part's data set.</summary>
    public string Bolt => In("bolt");

    public string Good => In("bolt/test/good/0.png");

    public string Defective => In("bolt/test/bar/0.png");

    public string In(string name) => Path.Combine(Root, name);

    /// <summary>A model of the part as a zip that reads images from paths, as QuickStart makes it.</summary>
    public string Model(bool knowsClasses = false)
    {
        var (zip, rows) = (In($"model{knowsClasses}.zip"), Rows("bolt", Directory.GetFiles(In("bolt/train/good"))));
        using var model = Ml.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(Ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = 0 }, Images = new() { Size = 112 }, Columns = new() { ClassName = knowsClasses ? "ClassName" : null } })).Fit(rows);
        Ml.Model.Save(model, rows.Schema, zip);
        return zip;
    }

    public static IDataView Rows(string className, params string[] files)
        => Ml.Data.LoadFromEnumerable(files.Order(StringComparer.Ordinal).Select(file => new Row { ImagePath = file, ClassName = className }).ToArray());

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static PixelBuffer Negative(PixelBuffer image) => new(image.Width, image.Height, Array.ConvertAll(image.Rgb, value => (byte)(255 - value)));

    private void Write(string name, PixelBuffer image)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        TestImages.Write(image, In(name));
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string ClassName { get; set; } = "";
    }
}
