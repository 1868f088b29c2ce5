using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Diagnostics;

/// <summary>What was wrong with a JSON text, for people who did not write its reader.</summary>
internal static class JsonFault
{
    /// <summary>Where the fault is and, but for values that are null where one is due, the reader's own words.</summary>
    public static string Describe(Exception fault) => fault switch
    {
        JsonException { Path: { Length: > 0 } path } json when json.Message.Contains(" null values", StringComparison.Ordinal)
            => $"expected a value at '{path}', got null.",
        _ => fault.Message,
    };
}
