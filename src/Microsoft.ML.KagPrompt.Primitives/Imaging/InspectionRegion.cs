using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Which pixels of a product's images are inspected, in the frame of the images as they are taken: the rest neither enters the memory
/// bank nor raises an alarm. A picture and polygons that mark the same pixels are the same region.
/// </summary>
/// <remarks>Immutable, compared by what it marks; safe to share between threads. A file is read by <c>RegionFile.Read</c>.</remarks>
[JsonConverter(typeof(RegionRunsConverter))]
public sealed record InspectionRegion
{
    /// <summary>Largest region, in pixels.</summary>
    internal const int MostPixels = 100_000_000;

    // An outline of two edges a row of ten thousand rows has 20,000.
    internal const int MostRuns = 1_000_000;

    // Points in shares are drawn on so many pixels a side.
    private const int SharesSide = 1024;

    private readonly int[] runs;

    private InspectionRegion(int width, int height, int[] runs, bool hasShape)
        => (Width, Height, this.runs, HasShape) = (width, height, runs, hasShape);

    /// <summary>Columns in pixels.</summary>
    public int Width { get; }

    /// <summary>Rows in pixels.</summary>
    public int Height { get; }

    /// <summary>Whether it belongs to images of one shape, width to height; false: it was given in shares of the sides.</summary>
    public bool HasShape { get; }

    /// <summary>Share of the pixels that are inspected, above 0 to 1.</summary>
    public double Share => (double)runs.Where((_, i) => i % 2 == 1).Sum(run => (long)run) / ((long)Width * Height);

    /// <summary>Lengths of what is left out and what is inspected, in turn, row by row; the first is left out.</summary>
    internal IReadOnlyList<int> Runs => runs;

    /// <summary>A region from a mask.</summary>
    /// <param name="width">Columns of the images, in pixels.</param>
    /// <param name="height">Rows; width · height at most 100,000,000.</param>
    /// <param name="mask">width · height bytes, row by row: 0 is left out, any other value is inspected. It is copied.</param>
    /// <exception cref="ArgumentException">The length does not fit, no pixel is inspected, or the mask is speckled all over.</exception>
    public static InspectionRegion FromMask(int width, int height, ReadOnlySpan<byte> mask)
    {
        RequireSize(width, height);
        return mask.Length == (long)width * height ? Create(width, height, mask, hasShape: true)
            : throw new ArgumentException($"mask: expected {(long)width * height} bytes for {width} x {height} pixels, got {mask.Length}.",
                nameof(mask));
    }

    /// <summary>
    /// A region from polygons in pixels: what lies in any of the first, without what lies in any of the others. A pixel counts by its
    /// middle, which is at half numbers.
    /// </summary>
    /// <param name="width">Columns of the images.</param>
    /// <param name="height">Rows; width · height at most 100,000,000.</param>
    /// <param name="inspect">Polygons of three or more points in 0..width, 0..height, 10,000 points in all; none: the whole image.</param>
    /// <param name="ignore">Polygons of what is left out; null: none.</param>
    /// <exception cref="ArgumentException">A polygon has too few points, a point lies outside the image, or no pixel is
    /// inspected.</exception>
    public static InspectionRegion FromPolygons(int width, int height, IReadOnlyList<IReadOnlyList<(double X, double Y)>> inspect,
        IReadOnlyList<IReadOnlyList<(double X, double Y)>>? ignore = null)
    {
        ArgumentNullException.ThrowIfNull(inspect);
        RequireSize(width, height);
        return Create(width, height, RegionPolygons.Draw(width, height, 1, 1, inspect, ignore ?? []), hasShape: true);
    }

    /// <summary>
    /// The same from polygons in shares of the sides, 0 to 1, for images that are stretched to the networks' square. They are drawn
    /// on 1024 × 1024 pixels.
    /// </summary>
    /// <param name="inspect">Polygons of three or more points in 0..1; none: the whole image.</param>
    /// <param name="ignore">Polygons of what is left out; null: none.</param>
    /// <exception cref="ArgumentException">A polygon has too few points, a point lies outside the image, or no pixel is
    /// inspected.</exception>
    public static InspectionRegion FromShares(IReadOnlyList<IReadOnlyList<(double X, double Y)>> inspect,
        IReadOnlyList<IReadOnlyList<(double X, double Y)>>? ignore = null)
    {
        ArgumentNullException.ThrowIfNull(inspect);
        return Create(SharesSide, SharesSide, RegionPolygons.Draw(SharesSide, SharesSide, SharesSide, SharesSide, inspect, ignore ?? []),
            hasShape: false);
    }

    /// <summary>
    /// A region from its JSON: <c>{"width":W,"height":H,"inspect":[[[x,y],…],…],"ignore":[[[x,y],…],…]}</c>; without width and height the
    /// points are shares.
    /// </summary>
    /// <param name="json">The text.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <exception cref="ImageReadException">It is no such JSON, or marks nothing to inspect.</exception>
    public static InspectionRegion FromJson(string json, string origin = "The region")
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentException.ThrowIfNullOrEmpty(origin);
        return RegionJson.Parse(System.Text.Encoding.UTF8.GetBytes(json), origin);
    }

    /// <summary>Width · height bytes, row by row: 1 where inspected, 0 where not. The caller's own.</summary>
    public byte[] ToMask()
    {
        var mask = new byte[Width * Height];
        var place = 0;
        for (var i = 0; i < runs.Length; place += runs[i++])
        {
            mask.AsSpan(place, runs[i]).Fill((byte)(i % 2));
        }

        return mask;
    }

    /// <summary>Whether images of this size have its shape: what differs is no more than the rounding of a side.</summary>
    /// <param name="width">The image's columns, turned as it is inspected.</param>
    /// <param name="height">Its rows.</param>
    public bool Fits(int width, int height) => !HasShape || new ImageShape(Width, Height).Fits(width, height);

    /// <summary>Refuses images of another shape, of which it would mark other places.</summary>
    /// <param name="width">The image's columns, turned as it is inspected.</param>
    /// <param name="height">Its rows.</param>
    /// <param name="origin">What to call the image in messages.</param>
    /// <exception cref="ImageReadException">The image has another shape.</exception>
    public void RequireFit(int width, int height, string origin)
    {
        if (HasShape)
        {
            new ImageShape(Width, Height).RequireFit(width, height, origin);
        }
    }

    /// <inheritdoc/>
    public bool Equals(InspectionRegion? other) => other is not null
        && (Width, Height, HasShape) == (other.Width, other.Height, other.HasShape) && runs.AsSpan().SequenceEqual(other.runs);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Width, Height, runs.Length, runs[0]);

    /// <summary>Its size and share, for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{100 * Share:0.#} % of {(HasShape ? $"{Width} x {Height} pixels" : "the image")}");

    /// <summary>What a saved model holds.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit the size, or nothing is inspected.</exception>
    internal static InspectionRegion FromRuns(int width, int height, int[] runs, bool hasShape)
    {
        RequireSize(width, height);
        var isSound = runs.Length is >= 2 and <= MostRuns && runs[0] >= 0 && runs.Skip(1).All(run => run > 0)
            && runs.Sum(run => (long)run) == (long)width * height;
        return isSound ? new(width, height, runs, hasShape)
            : throw new ArgumentException($"region: expected 2 to {MostRuns} lengths, the first of 0 or more and the others of 1 or more, "
                + $"that make {(long)width * height} pixels, got {runs.Length} lengths that do not.", nameof(runs));
    }

    private static InspectionRegion Create(int width, int height, ReadOnlySpan<byte> mask, bool hasShape)
    {
        var runs = new List<int>();
        for (var rest = mask; rest.Length > 0; rest = rest[runs[^1]..])
        {
            var length = runs.Count % 2 == 0 ? rest.IndexOfAnyExcept((byte)0) : rest.IndexOf((byte)0);
            runs.Add(length < 0 ? rest.Length : length);
            if (runs.Count > MostRuns)
            {
                throw new ArgumentException($"region: expected at most {MostRuns} changes between inspected and not, got more. "
                    + "Draw it with plain edges: a mask that is dithered or noisy marks no place.");
            }
        }

        return runs.Count > 1 ? new(width, height, [.. runs], hasShape)
            : throw new ArgumentException($"region: expected something to inspect, got {width} x {height} pixels of which none is. "
                + "White in a picture is inspected, black is not; of polygons, the pixels whose middle they hold.");
    }

    private static void RequireSize(int width, int height)
    {
        if (width < 1 || height < 1 || (long)width * height > MostPixels)
        {
            throw new ArgumentException(
                $"region: expected sides of 1 pixel or more and at most {MostPixels} pixels, got {width} x {height}.");
        }
    }
}
