using System.Globalization;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>The named texts of an exported file: format 1.</summary>
internal sealed class ExportedMetadata
{
    private const string FormatKey = "kagprompt.format";
    private const string Format = "1";
    private const int LargestSide = 2048;

    private readonly IReadOnlyDictionary<string, string> texts;
    private readonly string origin;

    private ExportedMetadata(IReadOnlyDictionary<string, string> texts, string origin) => (this.texts, this.origin) = (texts, origin);

    /// <exception cref="ModelFormatException">It is another program's file, of a newer format, or damaged.</exception>
    public static OnnxModelInfo Read(OnnxContents contents, string origin, long byteCount)
    {
        var metadata = new ExportedMetadata(contents.Metadata, origin);
        if (!contents.Metadata.TryGetValue(FormatKey, out var format))
        {
            var producer = contents.Producer.Length is > 0 and <= 100 ? $" ('{contents.Producer}')" : "";
            throw new ModelFormatException($"{origin} is an ONNX file of another program{producer}: it has no '{FormatKey}'. "
                + "Expected a file that KagPromptModel.ExportOnnx or 'kagprompt export' wrote.");
        }

        if (format != Format)
        {
            throw new ModelFormatException($"{origin} is of format '{format}': expected '{Format}'. Version "
                + $"{contents.Metadata.GetValueOrDefault("kagprompt.version", "unknown")} of the library wrote it: "
                + "update Microsoft.ML.KagPrompt.Onnx, or export the model with this version.");
        }

        var calibration = CalibrationJson.Read(metadata.Text("calibration"), origin);
        metadata.RequireSame("threshold", calibration.Threshold);
        metadata.RequireSame("map_threshold", calibration.MapThreshold);
        metadata.RequireSame("unlikeness_limit", calibration.UnlikenessLimit);
        return new()
        {
            Format = format,
            PackageVersion = metadata.Text("version"),
            Method = metadata.Text("method"),
            ClassName = metadata.Text("class"),
            Calibration = calibration,
            ImageSize = metadata.Side("image_size", metadata.Text("image_size"), LargestSide),
            ResizeMode = metadata.Choice<ResizeMode>("resize_mode"),
            Orientation = metadata.Choice<ImageOrientation>("orientation"),
            IsFixedSize = metadata.Text("input") switch
            {
                "square" => true,
                "pixels" => false,
                var other => throw metadata.Damaged("input", "'pixels' or 'square'", other),
            },
            Precision = metadata.Text("precision"),
            // Files that were written before there was a choice do not tell.
            Quantization = contents.Metadata.ContainsKey("kagprompt.quantize") ? metadata.Text("quantize") : "None",
            ModelSha256 = metadata.Text("model_sha256"),
            RegionSize = metadata.Region(),
            Opset = contents.Opset,
            ByteCount = byteCount,
        };
    }

    private string Text(string name) => texts.GetValueOrDefault("kagprompt." + name) is { Length: > 0 } text ? text
        : throw Damaged(name, "a value", "none");

    private void RequireSame(string name, float value)
    {
        var text = Text(name);
        if (!float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !number.Equals(value))
        {
            throw Damaged(name, FormattableString.Invariant($"the calibration's {value:R}"), text);
        }
    }

    private int Side(string name, string text, int most)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side >= 1 && side <= most ? side
            : throw Damaged(name, $"1 to {most} pixels", text);

    private T Choice<T>(string name) where T : struct, Enum
        => Text(name) is var text && Enum.GetNames<T>().Contains(text) ? Enum.Parse<T>(text)
            : throw Damaged(name, $"one of {string.Join(", ", Enum.GetNames<T>())}", text);

    private (int Width, int Height)? Region()
    {
        if (!texts.TryGetValue("kagprompt.region", out var text))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(text, new() { MaxDepth = 4 });
            int Length(string name) => Side("region", json.RootElement.GetProperty(name).GetRawText(), InspectionRegion.MostPixels);
            return (Length("width"), Length("height"));
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw Damaged("region", """{"width":W,"height":H}""", text);
        }
    }

    private ModelFormatException Damaged(string name, string expected, string got)
        => new($"{origin} is damaged: kagprompt.{name}: expected {expected}, got '{(got.Length <= 100 ? got : got[..100] + "…")}'. "
            + "Export the model again, or copy the file again.");
}
