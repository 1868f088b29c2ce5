using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>What an exported file says of its model, as lines and as JSON.</summary>
internal static class ExportedTable
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads and writes it.</summary>
    /// <exception cref="ModelFormatException">It is no exported file, of a newer format, or damaged.</exception>
    public static void Write(string path, bool json)
    {
        var info = OnnxInspector.Describe(path);
        if (json)
        {
            Console.WriteLine(Json(info));
        }
        else
        {
            DescriptionTable.Write([.. Lines(info, path)]);
        }
    }

    private static IEnumerable<(string Name, string Value)> Lines(OnnxModelInfo info, string path)
    {
        yield return ("Exported model", string.Create(CultureInfo.InvariantCulture, $"{path} ({info.ByteCount / 1e6:0.0} MB), "
            + $"format {info.Format}, written by version {info.PackageVersion}, ONNX operators of version {info.Opset}"));
        yield return ("Class", info.ClassName);
        yield return ("Method", info.Method);
        var (side, region) = (info.ImageSize, info.RegionSize);
        yield return ("Images", info.IsFixedSize
            ? $"{side} x {side} pixels, brought there before ({info.ResizeMode}), float32 [N, 3, {side}, {side}], 0 to 255"
            : $"of any size, brought to {side} x {side} pixels ({info.ResizeMode}), uint8 [N, H, W, 3]");
        yield return ("Photographs", info.Orientation == ImageOrientation.Exif ? "turned as their EXIF data says" : "as stored");
        if (region is { } shape)
        {
            yield return ("Region", string.Create(CultureInfo.InvariantCulture,
                $"drawn for images of {shape.Width} x {shape.Height} pixels"));
        }

        yield return ("Weights", info.Precision);
        if (info.Quantization != "None")
        {
            yield return ("In 8 bit", info.Quantization);
        }

        yield return ("Exported from", $"the model of SHA-256 {info.ModelSha256}");
        yield return ("Threshold", info.Calibration.Explanation);
    }

    private static string Json(OnnxModelInfo info) => JsonSerializer.Serialize(new
    {
        Kind = "exported",
        info.Format,
        info.PackageVersion,
        FileBytes = info.ByteCount,
        info.Opset,
        Class = info.ClassName,
        info.Method,
        info.ImageSize,
        info.ResizeMode,
        info.Orientation,
        info.IsFixedSize,
        info.Precision,
        info.Quantization,
        info.ModelSha256,
        Region = info.RegionSize is { } region ? new { region.Width, region.Height } : null,
        Threshold = Known(info.Calibration.Threshold),
        MapThreshold = Known(info.Calibration.MapThreshold),
        UnlikenessLimit = Known(info.Calibration.UnlikenessLimit),
        info.Calibration.Explanation,
    }, Options);

    private static double? Known(float value) => float.IsFinite(value) ? value : null;
}
