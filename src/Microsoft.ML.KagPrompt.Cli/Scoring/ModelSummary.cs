using System.Globalization;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>What a written model is, in a few lines.</summary>
internal static class ModelSummary
{
    public static void Write(KagPromptTransformer model, string zip)
    {
        foreach (var name in model.Model.ClassNames.Order(StringComparer.Ordinal))
        {
            Console.WriteLine($"{name}: {model.Calibration(name).Explanation}");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Written to {zip} ({new FileInfo(zip).Length / 1e6:0.0} MB)."));
    }
}
