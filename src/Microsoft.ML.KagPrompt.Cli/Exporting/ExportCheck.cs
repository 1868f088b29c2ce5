using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.KagPrompt.Cli.Exporting;

/// <summary>An exported file held against the model it came from, image by image.</summary>
internal sealed class ExportCheck
{
    // Maps are of single pixels, scores a mean of many: they may differ more.
    private const double MapFactor = 10;

    // A runtime computes the weights of its resizing in 32 bit, and so rounds a pixel in ten thousand to the next level.
    private const double ResizeFactor = 5;

    private readonly List<double> modelTimes = [];
    private readonly List<double> fileTimes = [];
    private readonly Gap computing = new();
    private readonly Gap resizing = new();
    private bool resizes;

    /// <summary>
    /// How much scores may differ unless the user says otherwise: what rounding leaves, more of weights in 16 bit, twice as much of patches
    /// in 8 bit.
    /// </summary>
    public static double ToleranceOf(OnnxModelInfo info) => info switch
    {
        { Quantization: not "None" } => 2e-3,
        { Precision: not "Float32" } => 1e-3,
        _ => 1e-4,
    };

    /// <summary>
    /// Compares verdicts on images: of pictures that were brought to the model's size as the model does it, which holds the computing
    /// against the model's; and of whole ones, which the file resizes itself where it can, as it does for programs in other languages.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="file">The file, as other programs have it: resizing by itself where it can.</param>
    /// <param name="images">What both score.</param>
    /// <param name="cancellation">Ends it between two images.</param>
    /// <exception cref="InsufficientDataException">There are no images.</exception>
    public static ExportCheck Run(KagPromptModel model, OnnxInspector file, IEnumerable<PixelBuffer> images,
        CancellationToken cancellation)
    {
        var check = new ExportCheck { resizes = !file.Info.IsFixedSize };
        var squares = new ImagePreprocessor(model.MapSize, model.Options.Images.ResizeMode, [0, 0, 0], [1, 1, 1]);
        foreach (var pixels in images)
        {
            cancellation.ThrowIfCancellationRequested();
            if (check.modelTimes.Count == 0)
            {
                // The first of each warms up.
                model.Inspect(pixels, file.Info.ClassName);
                file.Inspect(pixels);
            }

            var started = Stopwatch.GetTimestamp();
            var due = model.Inspect(pixels, file.Info.ClassName);
            check.modelTimes.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            started = Stopwatch.GetTimestamp();
            var got = file.Inspect(pixels);
            check.fileTimes.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            // A file of a fixed size was given the square already.
            check.computing.Add(due, check.resizes ? file.InspectSquares([squares.Resize(pixels)])[0] : got);
            if (check.resizes)
            {
                check.resizing.Add(due, got);
            }
        }

        return check.modelTimes.Count > 0 ? check
            : throw new InsufficientDataException("There is no image to compare: expected at least one, got none.");
    }

    /// <summary>Whether scores and maps differ by no more than rounding, and decisions not at all.</summary>
    public bool Holds(double tolerance) => computing.Holds(tolerance) && resizing.Holds(ResizeFactor * tolerance);

    /// <summary>The findings in one line, without times.</summary>
    public string Line(double tolerance)
        => computing.Line(tolerance) + (resizes ? $"; resized by the file itself: {resizing.Line(ResizeFactor * tolerance)}" : "");

    /// <summary>The findings, a line each.</summary>
    public IEnumerable<string> Lines(double tolerance)
    {
        yield return $"{modelTimes.Count} image(s): {computing.Line(tolerance)}";
        if (resizes)
        {
            yield return $"Resized by the file itself: {resizing.Line(ResizeFactor * tolerance)}";
        }

        yield return string.Create(CultureInfo.InvariantCulture,
            $"Time of an image, median: model {Median(modelTimes):0.0} ms, file {Median(fileTimes):0.0} ms");
    }

    /// <summary>Whether a file was exported from this very model, threshold and all.</summary>
    public static bool IsOf(KagPromptModel model, OnnxModelInfo info) => model.Sha256() == info.ModelSha256;

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    /// <summary>The largest differences of verdicts.</summary>
    private sealed class Gap
    {
        private double score;
        private double map;
        private double unit = 1;
        private int flipped;

        public void Add(Inspection due, Inspection got)
        {
            score = Math.Max(score, Difference(due.Score, got.Score));
            map = Math.Max(map, due.Map.Zip(got.Map).Max(pair => Difference(pair.First, pair.Second)));
            unit = due.Map.Where(float.IsFinite).Append((float)unit).Max();
            flipped += due.IsAnomalous != got.IsAnomalous || due.IsForeign != got.IsForeign ? 1 : 0;
        }

        /// <summary>
        /// Of distances that exceed 1, as those of vectors that are not of unit length do, so many shares of the largest: 32 bits keep as
        /// many digits wherever the point is.
        /// </summary>
        public bool Holds(double tolerance) => score <= unit * tolerance && map <= unit * MapFactor * tolerance && flipped == 0;

        public string Line(double tolerance) => string.Create(CultureInfo.InvariantCulture, $"largest difference of scores {score:0.0E+0} "
            + $"(at most {unit * tolerance:0.0E+0}), of maps {map:0.0E+0} (at most {unit * MapFactor * tolerance:0.0E+0}); "
            + $"decisions that differ: {flipped}");

        /// <summary>What was not inspected is the same in both, or infinitely different.</summary>
        private static double Difference(float due, float got) => (float.IsNaN(due), float.IsNaN(got)) switch
        {
            (true, true) => 0,
            (false, false) => Math.Abs((double)due - got),
            _ => double.PositiveInfinity,
        };
    }
}
