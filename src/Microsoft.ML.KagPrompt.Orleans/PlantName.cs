namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>Names of lines, products and versions.</summary>
internal static class PlantName
{
    public static bool Is(string? name, int most)
        => !string.IsNullOrWhiteSpace(name) && name.Length <= most
        && !name.Any(letter => char.IsControl(letter) || char.IsSurrogate(letter));

    public static string Expected(int most) => $"1 to {most} characters without control characters";

    /// <exception cref="ArgumentException">It is none.</exception>
    public static void Require(string? name, int most, string parameter)
    {
        if (!Is(name, most))
        {
            throw new ArgumentException($"{parameter}: expected {Expected(most)}, got {name?.Length ?? 0} characters.", parameter);
        }
    }
}
