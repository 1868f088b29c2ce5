using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Persistence;
using Microsoft.ML.KagPrompt.Tests;
using SkiaSharp;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Readers of pictures, and of what ML.NET's model zip holds of this library.</summary>
internal static class LayerReaders
{
    // A picture of these takes at most 7 bytes a pixel while it is read, so 250 MB.
    private const int MostPixels = 36_000_000;

    public static IEnumerable<MutatedReader> Pictures()
    {
        foreach (var (name, file) in Corpus())
        {
            yield return new(name, random => Mutation.Changed(file, random), bytes => ImageCodec.Read(bytes, "mutated", MostPixels));
        }

        var pictures = Corpus().Select(entry => entry.File).ToArray();
        yield return new("picture's check", random => Mutation.Changed(pictures[random.Next(pictures.Length)], random),
            bytes => ImageCodec.Check(bytes, "mutated", MostPixels));
    }

    public static IEnumerable<MutatedReader> Zips()
    {
        var old = ModelZip.Entry(File.ReadAllBytes(ModelZip.Version010), "KagPrompt.options.json");
        var options = OptionsJson.Write(new KagPromptOptions());
        yield return new("options of 0.1.0", random => Mutation.Changed(old, random), bytes => OptionsJson.Read(new MemoryStream(bytes)));
        yield return new("options", random => Mutation.Changed(options, random), bytes => OptionsJson.Read(new MemoryStream(bytes)));

        var (ml, zip) = (new MLContext(seed: 1), File.ReadAllBytes(ModelZip.Version010));
        foreach (var entry in new[] { "KagPrompt.options.json", "KagPrompt.safetensors" })
        {
            var content = ModelZip.Entry(zip, entry);
            // Of tensors the header is what can be wrong; values that are no numbers are another test's.
            var end = entry.EndsWith(".json", StringComparison.Ordinal) ? content.Length : 8 + (int)BitConverter.ToInt64(content);
            yield return new($"zip with another {entry}", random => ModelZip.With(zip, entry, _ => [.. Mutation.Changed(content[..end], random), .. content[end..]]), bytes =>
            {
                using var model = ml.Model.Load(new MemoryStream(bytes), out _) as IDisposable;
            })
            {
                Every = 16,
                // ML.NET makes its parts by reflection, which wraps what they throw.
                IsPromised = fault => Causes(fault).Any(cause => cause is KagPromptException),
            };
        }
    }

    private static IEnumerable<Exception> Causes(Exception? fault)
    {
        for (; fault is not null; fault = fault.InnerException)
        {
            yield return fault;
        }
    }

    private static IEnumerable<(string Name, byte[] File)> Corpus()
    {
        var rgb = new byte[3 * 48 * 40];
        new Random(1).NextBytes(rgb);
        for (var i = 0; i < rgb.Length; i++)
        {
            // Half noise, half plain: all branches of a packer.
            rgb[i] = i % 7 < 3 ? rgb[i] : (byte)(i / 300);
        }

        var picture = new PixelBuffer(48, 40, rgb);
        var png = ImageCodec.EncodePng(picture);
        yield return ("PNG", png);
        yield return ("PNG of 16 bits", ImageBytes.Png(5, 4, 16, 6, rgb[..(5 * 4 * 8)], ("eXIf", ImageBytes.Exif(6))));
        yield return ("PNG of a palette", ImageBytes.Png(8, 8, 8, 3, [.. Enumerable.Range(0, 64).Select(i => (byte)(i % 4))], ("PLTE", rgb[..12]), ("tRNS", [0, 128])));
        yield return ("JPEG", ImageBytes.WithExif(ImageCodec.EncodeJpeg(picture), ImageBytes.Exif(8)));
        yield return ("BMP", ImageBytes.BitmapWithAlpha(12, 10, rgb[..480]));
        yield return ("GIF", ImageBytes.Gif(seeThrough: true));
        using var image = SKImage.FromEncodedData(png);
        using var webp = image.Encode(SKEncodedImageFormat.Webp, 80);
        yield return ("WebP", webp.ToArray());
        using var lossless = image.Encode(SKEncodedImageFormat.Webp, 100);
        yield return ("WebP without loss", lossless.ToArray());
    }
}
