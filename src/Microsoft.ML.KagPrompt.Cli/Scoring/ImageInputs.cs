using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>What a user names to be scored: image files, folders with all below them, or "-" for standard input (an image, or a path a line).</summary>
internal sealed class ImageInputs(IReadOnlyCollection<string> classNames, string? className, int maxPixels)
{
    public const string StandardInput = "-";
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".bmp"];

    /// <summary>Number of images; null where standard input tells only at its end.</summary>
    public static int? Count(IReadOnlyList<string> inputs) => inputs.Contains(StandardInput) ? null : inputs.Sum(input => Directory.Exists(input) ? Below(input).Count() : 1);

    /// <summary>The images in order, each with its way to be read.</summary>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or no image in it.</exception>
    public IEnumerable<(DatasetImage Image, Func<PixelBuffer> Read)> Of(IReadOnlyList<string> inputs, CancellationToken cancellation = default)
    {
        // Told before anything is scored.
        foreach (var input in inputs.Where(input => input != StandardInput))
        {
            if (!File.Exists(input) && !Directory.Exists(input))
            {
                throw new FileNotFoundException($"There is no image or folder '{input}'.", input);
            }

            if (Directory.Exists(input) && !Below(input).Any())
            {
                throw new FileNotFoundException($"'{input}' holds no images: expected {string.Join(", ", Extensions)} files in it or below.", input);
            }
        }

        return inputs.SelectMany(input => input == StandardInput ? FromStandardInput(cancellation) : Directory.Exists(input) ? Below(input).Select(FromFile) : [FromFile(input)]);
    }

    private static IEnumerable<string> Below(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(path => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal);

    private (DatasetImage Image, Func<PixelBuffer> Read) FromFile(string path) => (Image(path), () => ImageCodec.Read(path, maxPixels));

    private DatasetImage Image(string path) => new(path, className ?? Known(path), DatasetSplit.Test, null, "", null);

    /// <summary>Of several classes, the one a folder on the path is named after.</summary>
    private string Known(string path) => classNames.Count == 1 ? classNames.First()
        : Path.GetFullPath(path).Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).LastOrDefault(classNames.Contains)
            ?? throw new ArgumentException($"'{path}': the model knows the classes {string.Join(", ", classNames.Order())}, and no folder on the path is named after one. Name it with --class.");

    private IEnumerable<(DatasetImage Image, Func<PixelBuffer> Read)> FromStandardInput(CancellationToken cancellation)
        => Scoring.StandardInput.Read(cancellation).Select(item => item.File is { } whole ? (Image(StandardInput), () => ImageCodec.Read(whole, "Standard input", maxPixels)) : FromLine(item.Line!));

    /// <summary>A path that says no class is answered as such: whoever sends paths waits for an answer to each, and sends others.</summary>
    private (DatasetImage Image, Func<PixelBuffer> Read) FromLine(string path)
    {
        try
        {
            return FromFile(path);
        }
        catch (ArgumentException fault)
        {
            return (new DatasetImage(path, "", DatasetSplit.Test, null, "", null), () => throw new ImageReadException(fault.Message, fault));
        }
    }
}
