namespace Microsoft.ML.KagPrompt.Text;

/// <summary>The paper's prompt ensemble: states of a part in two photo templates, for any product name.</summary>
internal static class PromptSentences
{
    private const int LongestName = 200;

    private static readonly string[] NormalStates =
        ["{0}", "flawless {0}", "perfect {0}", "unblemished {0}", "{0} without flaw", "{0} without defect", "{0} without damage"];

    private static readonly string[] AbnormalStates = ["damaged {0}", "broken {0}", "{0} with flaw", "{0} with defect", "{0} with damage"];

    private static readonly string[] Templates = ["a photo of a {0}.", "a photo of the {0}."];

    /// <summary>Fourteen sentences that call the part sound.</summary>
    /// <exception cref="ArgumentException">The name is empty or longer than 200 characters.</exception>
    public static IReadOnlyList<string> Normal(string className) => Fill(NormalStates, className);

    /// <summary>Ten sentences that call it defective.</summary>
    /// <exception cref="ArgumentException">The name is empty or longer than 200 characters.</exception>
    public static IReadOnlyList<string> Abnormal(string className) => Fill(AbnormalStates, className);

    /// <summary>Refuses what is no name of a product.</summary>
    /// <exception cref="ArgumentException">The name is empty or longer than 200 characters.</exception>
    public static void RequireName(string className)
    {
        if (string.IsNullOrWhiteSpace(className) || className.Length > LongestName)
        {
            throw new ArgumentException($"className: expected a product's name of 1 to {LongestName} characters, got {(className is null ? "null" : $"{className.Length}")}.", nameof(className));
        }
    }

    private static string[] Fill(string[] states, string className)
    {
        RequireName(className);
        var name = className.Replace('_', ' ').Trim();
        return [.. states.SelectMany(state => Templates.Select(template => template.Replace("{0}", state.Replace("{0}", name))))];
    }
}
