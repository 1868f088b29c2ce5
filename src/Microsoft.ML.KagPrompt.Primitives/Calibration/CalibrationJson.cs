using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>A calibration as saved models and exported files hold it.</summary>
internal static class CalibrationJson
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // NaN thresholds exist: a class with nothing to compute one from.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        MaxDepth = 16,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <exception cref="ModelFormatException">It is none, or its numbers cannot be.</exception>
    public static ThresholdCalibration Read(string json, string origin)
    {
        try
        {
            var calibration = JsonSerializer.Deserialize<ThresholdCalibration>(json, Json) ?? throw new JsonException("null");
            var faults = new OptionFaults();
            calibration.ScoreModel?.CollectFaults(faults, nameof(ThresholdCalibration.ScoreModel));
            faults.ThrowIfAny(nameof(ThresholdCalibration));
            return calibration;
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or NotSupportedException or InvalidOperationException
            or FormatException or OverflowException)
        {
            throw new ModelFormatException($"{origin}: the calibration is damaged: {JsonFault.Describe(fault)} "
                + "Export or copy the model again.", fault);
        }
    }
}
