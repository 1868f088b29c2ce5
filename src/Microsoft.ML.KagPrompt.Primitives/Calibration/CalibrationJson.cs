using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>A calibration as saved models and exported files hold it.</summary>
/// <remarks>Read by code that is made while compiling: programs that are trimmed for small computers have no other.</remarks>
internal static class CalibrationJson
{
    /// <exception cref="ModelFormatException">It is none, or its numbers cannot be.</exception>
    public static ThresholdCalibration Read(string json, string origin)
    {
        try
        {
            var calibration = JsonSerializer.Deserialize(json, CalibrationContext.Default.ThresholdCalibration)
                ?? throw new JsonException("null");
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

/// <summary>The reader's code. NaN thresholds exist: a class with nothing to compute one from.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, MaxDepth = 16,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ThresholdCalibration))]
internal sealed partial class CalibrationContext : JsonSerializerContext;
