using Microsoft.Extensions.Localization;
using Microsoft.ML.KagPrompt.Station.Components.Shared;
using Microsoft.ML.KagPrompt.Station.Web;
using PdfSharp.Drawing;
using PdfSharp.Pdf;

namespace Microsoft.ML.KagPrompt.Station.Reports;

/// <summary>A shift on pages of A4.</summary>
internal static class PdfReport
{
    private const double Margin = 50;
    private const double LineHeight = 16;

    /// <param name="pictures">JPEG of the worst parts, in their order; null: deleted since.</param>
    /// <exception cref="InvalidOperationException">The system has no font.</exception>
    public static byte[] Write(ShiftReport report, IReadOnlyList<byte[]?> pictures, IStringLocalizer T, TimeProvider time)
    {
        SystemFonts.Use();
        using var document = new PdfDocument();
        document.Info.Title = T["Shift report"];
        var sheet = new Sheet(document);
        sheet.Text(T["Shift report"], 20, bold: true);
        foreach (var (name, value) in ReportWords.Facts(report, T, time))
        {
            sheet.Row([(name, 0), (value, 180)]);
        }

        foreach (var drift in report.Drifts)
        {
            sheet.Text(DriftNote.Words(T, drift), 10, bold: true);
        }

        sheet.Text(T["By the hour"], 14, bold: true);
        sheet.Row([(T["Hour"], 0), (T["Inspected"], 180), (T["Rejected"], 280)], bold: true);
        foreach (var hour in report.Hours)
        {
            sheet.Row([(Show.Time(hour.Hour, time), 0), (Show.Number(hour.Total), 180), (Show.Number(hour.Anomalous), 280)]);
        }

        sheet.Text(T["The highest scores"], 14, bold: true);
        sheet.Pictures([.. report.Worst.Select((result, i) => ($"{Show.Score(result.Score)}  {Show.Time(result.Time, time)}",
            pictures[i]))]);
        using var memory = new MemoryStream();
        document.Save(memory, closeStream: false);
        return memory.ToArray();
    }

    /// <summary>Writes from the top to the bottom, and on a new page then.</summary>
    private sealed class Sheet(PdfDocument document)
    {
        private const double Side = 150;
        private XGraphics? graphics;
        private double y, width, height;

        public void Text(string text, double size, bool bold)
        {
            var font = new XFont(SystemFonts.Family, size, bold ? XFontStyleEx.Bold : XFontStyleEx.Regular);
            Need(size + 12);
            y += 8;
            var line = "";
            foreach (var word in text.Split(' '))
            {
                var longer = line.Length == 0 ? word : $"{line} {word}";
                if (graphics!.MeasureString(longer, font).Width <= width - (2 * Margin))
                {
                    line = longer;
                    continue;
                }

                Draw(line, font, size);
                line = word;
            }

            Draw(line, font, size);
        }

        public void Row(IReadOnlyList<(string Text, double At)> cells, bool bold = false)
        {
            var font = new XFont(SystemFonts.Family, 10, bold ? XFontStyleEx.Bold : XFontStyleEx.Regular);
            Need(LineHeight);
            foreach (var (text, at) in cells)
            {
                graphics!.DrawString(text, font, XBrushes.Black, new XPoint(Margin + at, y + 11));
            }

            y += LineHeight;
        }

        public void Pictures(IReadOnlyList<(string Words, byte[]? File)> pictures)
        {
            var font = new XFont(SystemFonts.Family, 8);
            for (var i = 0; i < pictures.Count; i++)
            {
                var column = i % 3;
                if (column == 0)
                {
                    Need(Side + 24);
                }

                var (words, file) = pictures[i];
                var x = Margin + (column * (Side + 15));
                if (file is not null)
                {
                    using var memory = new MemoryStream(file);
                    using var image = XImage.FromStream(memory);
                    var scale = Side / Math.Max(image.PixelWidth, image.PixelHeight);
                    graphics!.DrawImage(image, x, y, image.PixelWidth * scale, image.PixelHeight * scale);
                }

                graphics!.DrawString(words, font, XBrushes.Black, new XPoint(x, y + Side + 12));
                if (column == 2 || i == pictures.Count - 1)
                {
                    y += Side + 24;
                }
            }
        }

        private void Draw(string line, XFont font, double size)
        {
            Need(size + 4);
            graphics!.DrawString(line, font, XBrushes.Black, new XPoint(Margin, y + size));
            y += size + 4;
        }

        private void Need(double space)
        {
            if (graphics is not null && y + space <= height - Margin)
            {
                return;
            }

            graphics?.Dispose();
            var page = document.AddPage();
            page.Size = PdfSharp.PageSize.A4;
            graphics = XGraphics.FromPdfPage(page);
            (y, width, height) = (Margin, page.Width.Point, page.Height.Point);
        }
    }
}
