namespace Microsoft.ML.KagPrompt.Pretraining;

internal static class TextAlignment
{
    public static void Run(string trunk, string output, TimeSpan time, int seed, Action<string> report) => report("");
}
