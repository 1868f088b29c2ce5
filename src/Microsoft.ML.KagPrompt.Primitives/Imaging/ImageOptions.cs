using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>How images are brought to the networks, and their maps back.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record ImageOptions
{
    /// <summary>For <see cref="Tiles"/>: the fit chooses.</summary>
    public const int AutoTiles = 0;

    /// <summary>The most tiles along a side.</summary>
    public const int MostTiles = 4;

    /// <summary>
    /// Side S in pixels images are brought to, 32 to 2048; a multiple of the backbone's patch size. Null, the default: the backbone's own.
    /// With <see cref="Tiles"/>, the side of each.
    /// </summary>
    public int? Size { get; init; }

    /// <summary>
    /// Tiles along a side, 1 to <see cref="MostTiles"/>, for defects that are too small to be seen in a picture of <see cref="Size"/>: the
    /// network sees the picture in that many squares a side, which overlap by a quarter. 224 pixels in two tiles a side are S = 392, in
    /// three 560. Maps have S × S pixels. Time and memory grow with the tiles' number, the search of the memory bank with its square.
    /// <see cref="AutoTiles"/>: the fit takes up to three, no more than the first picture has pixels for, nor
    /// than <see cref="TilesTime"/> allows. 1, the default: none. For methods that use nothing but patches and the image's embedding.
    /// </summary>
    public int Tiles { get; init; } = 1;

    /// <summary>
    /// With <see cref="AutoTiles"/>: how long one picture may take from the network to its score, measured while fitting with a memory bank
    /// of four pictures, on the device of the fit. Null, the default: as long as it takes. The choice depends on the machine then.
    /// </summary>
    public TimeSpan? TilesTime { get; init; }

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
        .Require(Tiles is >= AutoTiles and <= MostTiles, $"{group}.{nameof(Tiles)}", $"1 to {MostTiles}, or {AutoTiles}: automatic", Tiles)
        .Require(TilesTime is null || (Tiles == AutoTiles && TilesTime > TimeSpan.Zero), $"{group}.{nameof(TilesTime)}",
            $"above zero and with automatic {nameof(Tiles)}, or null", TilesTime)
        .Require(Enum.IsDefined(ResizeMode), $"{group}.{nameof(ResizeMode)}", "a defined mode", ResizeMode)
        .Require(Enum.IsDefined(Orientation), $"{group}.{nameof(Orientation)}", "a defined value", Orientation)
        .Require(Enum.IsDefined(MapUpsampling), $"{group}.{nameof(MapUpsampling)}", "a defined value", MapUpsampling)
        .Require(MaxPixels >= 1, $"{group}.{nameof(MaxPixels)}", "1 or more", MaxPixels);
}
