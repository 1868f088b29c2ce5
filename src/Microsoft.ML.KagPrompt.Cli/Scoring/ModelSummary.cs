using System.Globalization;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>What a written model is, in a few lines.</summary>
internal static class ModelSummary
{
    public static void Write(KagPromptTransformer model, string zip)
    {
        WriteThresholds(model, className: null);
        WritePlace(zip);
    }

    /// <summary>A line for each class, or for one alone.</summary>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    public static void WriteThresholds(KagPromptTransformer model, string? className)
    {
        foreach (var name in className is null ? model.Model.ClassNames.Order(StringComparer.Ordinal) : (IEnumerable<string>)[className])
        {
            Console.WriteLine($"{name}: {model.Calibration(name).Explanation}");
        }
    }

    /// <summary>What is doubtful about the support images of classes, on the error stream.</summary>
    public static void WriteWarnings(KagPromptTransformer model, IEnumerable<string> classNames)
    {
        foreach (var name in classNames.Order(StringComparer.Ordinal))
        {
            foreach (var warning in model.Calibration(name).Warnings)
            {
                Console.Error.WriteLine($"{name}: {warning}");
            }
        }
    }

    /// <summary>Where it was written, and how large it is.</summary>
    public static void WritePlace(string zip)
        => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Written to {zip} ({new FileInfo(zip).Length / 1e6:0.0} MB)."));
}
