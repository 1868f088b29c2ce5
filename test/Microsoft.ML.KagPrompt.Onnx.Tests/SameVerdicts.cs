using Xunit.Sdk;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>Holds an exported model against the model itself.</summary>
internal static class SameVerdicts
{
    /// <summary>Of images that the file resizes: a runtime's bicubic rounds single levels otherwise.</summary>
    public const double Resized = 1e-4;

    /// <summary>Of images that are S × S already.</summary>
    public const double Square = 1e-5;

    public static void Check(KagPromptModel model, OnnxRun run, string? className, IEnumerable<PixelBuffer> images, double tolerance = Resized, double square = Square)
    {
        var verdicts = images.Select(image => (image.Width, image.Height, Due: model.Inspect(image, className), Got: run.Inspect(image)[0])).ToArray();
        // Distances of vectors that are not of unit length may be hundreds, and roundings are so much larger.
        var unit = model.Options.Method is PatchCoreOptions or SpadeOptions ? verdicts.Max(verdict => verdict.Due.Map.Where(float.IsFinite).Max()) : 1;
        foreach (var (width, height, due, got) in verdicts)
        {
            Check(due, got, $"{width} x {height}", (width, height) == (model.MapSize, model.MapSize) ? square : tolerance, unit);
        }
    }

    /// <summary>Scores within the tolerance of a unit, maps within ten times it, the same decisions.</summary>
    public static void Check(Inspection expected, OnnxVerdict got, string what, double tolerance, double unit = 1)
    {
        Close(got.Score, expected.Score, unit * tolerance, $"{what}: score");
        got.Map.Should().HaveCount(expected.Map.Length);
        var farthest = expected.Map.Zip(got.Map).Max(pair => float.IsNaN(pair.First) && float.IsNaN(pair.Second) ? 0 : float.IsNaN(pair.First - pair.Second) ? double.MaxValue : Math.Abs(pair.First - pair.Second));
        farthest.Should().BeLessThanOrEqualTo(10 * unit * tolerance, $"{what}: the maps are the same, and NaN in the same places");
        Close(got.Probability, expected.Probability, float.IsNaN(expected.Probability) ? 0 : 100 * tolerance, $"{what}: probability");
        Close(got.Unlikeness, expected.Unlikeness, tolerance, $"{what}: unlikeness");
        got.IsAnomalous.Should().Be(expected.IsAnomalous, $"{what}: the same decision");
        got.IsForeign.Should().Be(expected.IsForeign, $"{what}: the same decision");
    }

    private static void Close(float got, float expected, double tolerance, string what)
    {
        if (!(float.IsNaN(got) && float.IsNaN(expected)) && !(Math.Abs(got - expected) <= tolerance))
        {
            throw new XunitException(FormattableString.Invariant($"{what}: expected {expected:R} ± {tolerance:R}, got {got:R}"));
        }
    }
}
