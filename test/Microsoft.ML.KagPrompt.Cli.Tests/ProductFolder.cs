using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>A temporary folder of two rendered products in MVTec AD's layout: four images to fit on, two good and two defective ones to score.</summary>
public sealed class ProductFolder : IDisposable
{
    public ProductFolder()
    {
        foreach (var product in (string[])["bolt", "nut"])
        {
            for (var i = 0; i < 4; i++)
            {
                Write($"{product}/train/good/{i}.png", TestImages.Part(80, 80, i));
            }

            for (var i = 0; i < 2; i++)
            {
                var (sound, defective) = (TestImages.Part(80, 80, 20 + i), TestImages.Part(80, 80, 20 + i, defective: true));
                Write($"{product}/test/good/{i}.png", sound);
                Write($"{product}/test/bar/{i}.png", defective);
                Write($"{product}/ground_truth/bar/{i}_mask.png", new PixelBuffer(80, 80, [.. Enumerable.Range(0, 80 * 80 * 3).Select(k => (byte)(Enumerable.Range(k / 3 * 3, 3).Any(c => sound.Rgb[c] != defective.Rgb[c]) ? 255 : 0))]));
            }
        }
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("kagprompt-evaluate-").FullName;

    public string In(string name) => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private void Write(string name, PixelBuffer image)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        TestImages.Write(image, In(name));
    }
}
