using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>
/// What a user names to be scored: image files, folders with all below them, or "-" for standard input (an image, or a path a line).
/// </summary>
/// <remarks>
/// A photograph of a kind that is not read is an input all the same, and is reported as not readable: what was not inspected must not pass.
/// </remarks>
/// <param name="classNames">What the model knows.</param>
/// <param name="className">The class of all; null: told by the folders.</param>
/// <param name="images">How they are read.</param>
/// <param name="leastSide">Pixels a side that a picture keeps at least.</param>
/// <param name="tell">What to say of them; null: on the error stream.</param>
internal sealed class ImageInputs(IReadOnlyCollection<string> classNames, string? className, ImageOptions images,
    int leastSide = int.MaxValue, Action<string>? tell = null)
{
    private const string StandardInput = "-";

    private readonly Action<string> tell = tell ?? Console.Error.WriteLine;

    /// <summary>Number of images; null where standard input tells only at its end.</summary>
    public static int? Count(IReadOnlyList<string> inputs) => inputs.Contains(StandardInput) ? null : Files(inputs).Count;

    /// <summary>
    /// The images in order, each with its way to be read, and whether it came from one who waits for its score before the next.
    /// </summary>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or no image in it.</exception>
    public IEnumerable<(DatasetImage Image, Func<ReadPicture> Read, bool IsAwaited)> Open(IReadOnlyList<string> inputs,
        CancellationToken cancellation = default)
    {
        // Reported before anything is scored.
        foreach (var input in inputs.Where(input => input != StandardInput))
        {
            if (!File.Exists(input) && !Directory.Exists(input))
            {
                throw new FileNotFoundException($"There is no image or folder '{input}'.", input);
            }

            if (!Directory.Exists(input))
            {
                continue;
            }

            var below = PhotographFiles.Below(input);
            if (below.Count == 0)
            {
                throw new FileNotFoundException($"'{input}' holds no images: expected {string.Join(", ", ImageFormats.Extensions)} files "
                    + "in it or below.", input);
            }

            if (below.Where(path => !ImageFormats.IsReadByName(path)).ToArray() is { Length: > 0 } unread)
            {
                tell(PhotographFiles.Describe(unread, input));
            }
        }

        return Files(inputs).SelectMany(input => input == StandardInput
            ? Background.Read(new StandardInputImages(this).Read, cancellation)
            : [FromFile(input, isAwaited: false)]);
    }

    /// <summary>An image that standard input holds, or the fault of what it holds.</summary>
    public (DatasetImage Image, Func<ReadPicture> Read, bool IsAwaited) FromStandardInput(Func<byte[]> file)
        => (Image(StandardInput),
            () => WithFrameWarning(StandardInput,
                ImageCodec.ReadReduced(file(), "Standard input", leastSide, out var info, images.MaxPixels, images.Orientation), info),
            true);

    public (DatasetImage Image, Func<ReadPicture> Read, bool IsAwaited) FromFile(string path, bool isAwaited)
        => (Image(path),
            () => WithFrameWarning(path, ImageCodec.ReadReduced(path, leastSide, out var info, images.MaxPixels, images.Orientation), info),
            isAwaited);

    /// <summary>A path that says no class is answered as such: whoever sends paths waits for an answer to each, and sends others.</summary>
    public (DatasetImage Image, Func<ReadPicture> Read, bool IsAwaited) FromLine(string path)
    {
        try
        {
            return FromFile(path, isAwaited: true);
        }
        catch (ArgumentException fault)
        {
            return (new DatasetImage(path, "", DatasetSplit.Test, null, "", null), () => throw new ImageReadException(fault.Message, fault),
                true);
        }
    }

    /// <summary>The inputs with folders as what is in them; a file that is reached twice comes once.</summary>
    private static IReadOnlyList<string> Files(IReadOnlyList<string> inputs)
        =>
        [
            .. inputs.SelectMany(input => input != StandardInput && Directory.Exists(input) ? PhotographFiles.Below(input) : [input])
                .DistinctBy(path => path == StandardInput ? path : PhotographFiles.RealPathOf(path)),
        ];

    private ReadPicture WithFrameWarning(string path, PixelBuffer pixels, ImageFileInfo info)
    {
        if (info.Frames > 1)
        {
            tell($"{path}: {info.Frames} pictures in one file; the first is inspected, the others are not.");
        }

        return ReadPicture.FromPixels(pixels, info, images);
    }

    private DatasetImage Image(string path) => new(path, className ?? Known(path), DatasetSplit.Test, null, "", null);

    /// <summary>Of several classes, the one a folder on the path is named after.</summary>
    private string Known(string path) => classNames.Count == 1 ? classNames.First()
        : Path.GetFullPath(path).Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).LastOrDefault(classNames.Contains)
            ?? throw new ArgumentException($"'{path}': the model knows the classes {string.Join(", ", classNames.Order())}, "
                + "and no folder on the path is named after one. Name it with --class.");
}
