using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Synthesis;

namespace Microsoft.ML.KagPrompt;

/// <summary>Draws natural-looking defects: patches of a normal image blended seamlessly into another (NSA, Schlüter et al. 2022).</summary>
/// <remarks>
/// Immutable and thread-safe; the generator passed in is not, so give each thread its own. Equal generators give equal images.
/// </remarks>
public sealed class NsaSynthesizer
{
    /// <summary>Smaller patches are skipped, the border ring not counted.</summary>
    private const int LeastPatchPixels = 50;

    /// <summary>Uses the options for every image.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public NsaSynthesizer(SynthesisOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Options = options;
    }

    /// <summary>How defects are drawn.</summary>
    public SynthesisOptions Options { get; }

    /// <summary>
    /// Draws defects into a copy of <paramref name="destination"/>, again while no label remains,
    /// <see cref="SynthesisOptions.MaxDraws"/> times at most.
    /// </summary>
    /// <param name="destination">A normal image.</param>
    /// <param name="source">Where patches are cut from: another normal image of the same size, or the destination itself.</param>
    /// <param name="random">The only source of randomness.</param>
    /// <exception cref="ArgumentException">The images differ in size.</exception>
    public SyntheticImage Synthesize(PixelBuffer destination, PixelBuffer source, Random random)
        => Synthesize(destination, source, random, null);

    /// <summary>The same within a region, which is the object: outside, nothing is drawn and nothing is labelled.</summary>
    internal SyntheticImage Synthesize(PixelBuffer destination, PixelBuffer source, Random random, SquareRegion? region)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(random);
        if (source.Width != destination.Width || source.Height != destination.Height)
        {
            throw new ArgumentException(
                $"source: expected {destination.Width} x {destination.Height} pixels, the size of the destination, "
                    + $"got {source.Width} x {source.Height}. Resize both to the same square.",
                nameof(source));
        }

        var destinationObject = ObjectOf(destination, region);
        var sourceObject = ReferenceEquals(source, destination) ? destinationObject : ObjectOf(source, region);
        for (var draw = 1; ; draw++)
        {
            var image = Draw(destination, destinationObject, source, sourceObject, random);
            image = region?.Cut(image) ?? image;
            var label = DefectLabel.Compute(destination, image, Options.LogisticSteepness, Options.LogisticMidpoint);
            for (var p = 0; p < (region?.Inside.Length ?? 0); p++)
            {
                // What the cut left at its edge, too.
                label[p] = region!.Inside[p] ? label[p] : 0;
            }

            var mask = Array.ConvertAll(label, value => value > Options.LabelThreshold);
            var hasDefect = mask.AsSpan().Contains(true);
            if (hasDefect || draw == Options.MaxDraws)
            {
                return new SyntheticImage(image, label, mask, hasDefect, draw);
            }
        }
    }

    private PixelBuffer Draw(PixelBuffer destination, byte[]? destinationObject, PixelBuffer source, byte[]? sourceObject, Random random)
    {
        var sampler = new PatchSampler(Options, destination.Width, destination.Height, random);
        var image = destination;
        for (var patch = 0; patch < Options.MaxPatches; patch++)
        {
            if (patch == 0 || random.Next(2) == 1)
            {
                image = Paste(image, destinationObject, source, sourceObject, sampler);
            }
        }

        return image;
    }

    private static PixelBuffer Paste(
        PixelBuffer image, byte[]? destinationObject, PixelBuffer source, byte[]? sourceObject, PatchSampler sampler)
    {
        if (sampler.Cut(sourceObject) is not { } cut)
        {
            return image;
        }

        var (width, height) = sampler.Scale(cut);
        var patchObject = sourceObject is null ? null : cut.Resample(sourceObject, source.Width, channels: 1, width, height);
        if ((width - 2) * (height - 2) < LeastPatchPixels || sampler.Place(width, height, patchObject, destinationObject) is not { } place)
        {
            return image;
        }

        var patch = new PixelBuffer(width, height, cut.Resample(source.Rgb, source.Width, channels: 3, width, height));
        var mask = new byte[width * height];
        Array.Fill(mask, byte.MaxValue);
        var centre = (place.Left + width - (width / 2), place.Top + (height / 2));
        return PoissonBlender.NormalClone(patch, mask, image, centre);
    }

    private byte[]? ObjectOf(PixelBuffer image, SquareRegion? region)
    {
        var found = Options.Background is { } background ? ObjectMask.Compute(image, background, Options.BackgroundThreshold) : null;
        return region is null ? found : [.. region.Inside.Select((isInside, p) => isInside ? found?[p] ?? 1 : (byte)0)];
    }
}
