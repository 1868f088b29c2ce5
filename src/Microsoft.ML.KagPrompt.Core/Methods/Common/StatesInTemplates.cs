namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Sentences made of states of a part, each in every template of a photograph of it.</summary>
internal static class StatesInTemplates
{
    /// <summary>State by state, template by template within; "{}" still stands for the product's name.</summary>
    public static IReadOnlyList<string> Fill(IReadOnlyList<string> states, IReadOnlyList<string> templates)
        => [.. states.SelectMany(state => templates.Select(template => template.Replace("{}", state, StringComparison.Ordinal)))];
}
