using PdfSharp.Fonts;

namespace Microsoft.ML.KagPrompt.Station.Reports;

/// <summary>Fonts of the system for PDF files: none is brought along.</summary>
internal sealed class SystemFonts : IFontResolver
{
    public const string Family = "Report";

    private static readonly string[] Folders =
    [
        "/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu", "/usr/share/fonts/dejavu-sans-fonts", "/usr/share/fonts/TTF",
        "/usr/share/fonts/truetype/liberation", "/usr/share/fonts/liberation-sans", "/usr/share/fonts/liberation",
        Environment.GetFolderPath(Environment.SpecialFolder.Fonts), "/System/Library/Fonts/Supplemental",
    ];

    private static readonly (string Regular, string Bold)[] Names =
    [
        ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
            ("segoeui.ttf", "segoeuib.ttf"),
        ("arial.ttf", "arialbd.ttf"), ("Arial.ttf", "Arial Bold.ttf"),
    ];

    private static readonly Lock Gate = new();

    /// <summary>Has PDFsharp ask here.</summary>
    /// <exception cref="InvalidOperationException">The system has none of the fonts.</exception>
    public static void Use()
    {
        Find(Folders);
        lock (Gate)
        {
            GlobalFontSettings.FontResolver ??= new SystemFonts();
        }
    }

    /// <summary>The two files of the first font that is there.</summary>
    public static (string Regular, string Bold) Find(IReadOnlyList<string> folders)
    {
        foreach (var (regular, bold) in Names)
        {
            foreach (var folder in folders.Where(folder => folder.Length > 0))
            {
                var files = (Path.Combine(folder, regular), Path.Combine(folder, bold));
                if (File.Exists(files.Item1) && File.Exists(files.Item2))
                {
                    return files;
                }
            }
        }

        throw new InvalidOperationException("A PDF file needs a font, and this system has neither DejaVu Sans nor Liberation Sans nor "
            + "Arial. Install one (Debian, Ubuntu: apt-get install fonts-dejavu-core), or print the page.");
    }

    public FontResolverInfo? ResolveTypeface(string familyName, bool isBold, bool isItalic) => new(isBold ? "bold" : "regular");

    public byte[]? GetFont(string faceName)
    {
        var (regular, bold) = Find(Folders);
        return File.ReadAllBytes(faceName == "bold" ? bold : regular);
    }
}
