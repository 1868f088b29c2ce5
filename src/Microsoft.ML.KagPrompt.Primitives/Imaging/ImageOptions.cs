using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>How images are brought to the networks, and their maps back.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record ImageOptions
{
    /// <summary>
    /// Side S in pixels images are brought to, 32 to 2048; a multiple of the backbone's patch size. Null, the default: the backbone's own.
    /// </summary>
    public int? Size { get; init; }

    /// <summary>How images are brought to S × S.</summary>
    public ResizeMode ResizeMode { get; init; } = ResizeMode.Stretch;

    /// <summary>Whether photographs are turned as their EXIF data says, while fitting and while scoring.</summary>
    public ImageOrientation Orientation { get; init; } = ImageOrientation.Exif;

    /// <summary>Where the values of patches lie in the map.</summary>
    public MapUpsampling MapUpsampling { get; init; } = MapUpsampling.CellCentres;

    /// <summary>Largest image, in pixels (width · height), that is accepted.</summary>
    public int MaxPixels { get; init; } = 70_000_000;

    /// <summary>
    /// Whether JPEG files far larger than S are decoded at a half, a quarter or an eighth of their size, 4 · S a side at least: several
    /// times as fast, with scores that differ a little. Of files that this library opens to score them
    /// (<c>KagPromptTransformer.Inspect</c>, the tool); ML.NET's <c>LoadImages</c> decodes whole. Off by default.
    /// </summary>
    public bool ReducedJpeg { get; init; }

    /// <summary>Pixels a side that a picture keeps at least where it is read to be scored.</summary>
    internal int LeastSide(int side) => ReducedJpeg ? 4 * side : int.MaxValue;

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(Size is null or (>= 32 and <= 2048), $"{group}.{nameof(Size)}", "32 to 2048 or null", Size)
        .Require(Enum.IsDefined(ResizeMode), $"{group}.{nameof(ResizeMode)}", "a defined mode", ResizeMode)
        .Require(Enum.IsDefined(Orientation), $"{group}.{nameof(Orientation)}", "a defined value", Orientation)
        .Require(Enum.IsDefined(MapUpsampling), $"{group}.{nameof(MapUpsampling)}", "a defined value", MapUpsampling)
        .Require(MaxPixels >= 1, $"{group}.{nameof(MaxPixels)}", "1 or more", MaxPixels);
}
