using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>Tells the MLContext's log how the thresholds of fitted classes came about, and what is doubtful about their supports.</summary>
internal static class CalibrationLog
{
    public static void Write(IChannel channel, KagPromptModel model, IEnumerable<string> classNames)
    {
        foreach (var name in classNames)
        {
            var calibration = model.CalibrationOf(name);
            channel.Info($"Class '{name}': {calibration.Explanation}");
            foreach (var warning in calibration.Warnings)
            {
                channel.Warning($"Class '{name}': {warning}");
            }
        }
    }
}
