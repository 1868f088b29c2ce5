namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Kinds of image files, told by their first bytes or by their extension: those that are read, and those that are known but are not.
/// </summary>
/// <remarks>Pure functions, thread-safe.</remarks>
public static class ImageFormats
{
    /// <summary>How many of a file's first bytes <see cref="NameOf"/> looks at.</summary>
    public const int HeadLength = 32;

    private static readonly string[] Unread =
    [
        ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".jpx",
        ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".raw",
        ".psd", ".pgm", ".ppm", ".pbm", ".pnm", ".exr", ".hdr", ".tga", ".ico",
        ".dcm", ".jpe", ".jfif", ".dib", ".apng",
    ];

    /// <summary>What is read, in words.</summary>
    public static string Expected => "a PNG, JPEG, BMP, WebP or GIF file";

    /// <summary>Extensions, in small letters, of the files that are read; in folders, others are left out.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif"];

    /// <summary>Whether a file is called as one that is read is, in capitals or small letters.</summary>
    public static bool IsReadByName(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a file is called as an image file of a kind that is not read.</summary>
    public static bool IsUnreadByName(string path) => Unread.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a kind named by <see cref="NameOf"/> is read.</summary>
    public static bool IsRead(string? name) => name is "PNG" or "JPEG" or "BMP" or "WebP" or "GIF";

    /// <summary>What kind of image file begins so; null: none that is known.</summary>
    public static string? NameOf(ReadOnlySpan<byte> head) => head switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "PNG",
        [0xFF, 0xD8, 0xFF, ..] => "JPEG",
        [(byte)'B', (byte)'M', _, _, _, _, _, _, _, _, _, _, _, _, >= 12 and <= 124, 0, 0, 0, ..] => "BMP",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "WebP",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => "GIF",
        [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => "TIFF (or a camera's raw file)",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', .. var brand] => OfBrand(brand),
        [0xFF, 0x0A, ..] or [0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' ', ..] => "JPEG XL",
        [0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' ', ..] or [0xFF, 0x4F, 0xFF, 0x51, ..] => "JPEG 2000",
        [
            (byte)'P',
            >= (byte)'1' and <= (byte)'7',
            (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t',
            (byte)'#' or (>= (byte)'0' and <= (byte)'9'),
            ..
        ] => "PBM, PGM or PPM",
        [(byte)'8', (byte)'B', (byte)'P', (byte)'S', ..] => "Photoshop",
        [0x76, 0x2F, 0x31, 0x01, ..] => "OpenEXR",
        _ => null,
    };

    private static string? OfBrand(ReadOnlySpan<byte> brand) => brand.StartsWith("avif"u8) || brand.StartsWith("avis"u8) ? "AVIF"
        : brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) || brand.StartsWith("mif1"u8) || brand.StartsWith("msf1"u8) ? "HEIC"
        : null;
}
