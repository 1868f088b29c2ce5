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
        foreach (var image in images)
        {
            Check(model.Inspect(image, className), run.Inspect(image)[0], $"{image.Width} x {image.Height}",
                (image.Width, image.Height) == (model.MapSize, model.MapSize) ? square : tolerance);
        }
    }

    public static void Check(Inspection expected, OnnxVerdict got, string what, double tolerance)
    {
        // Some methods' distances are not of unit vectors, and may be hundreds.
        Close(got.Score, expected.Score, tolerance * Math.Max(1, Math.Abs(expected.Score)), $"{what}: score");
        got.Map.Should().HaveCount(expected.Map.Length);
        var farthest = expected.Map.Zip(got.Map).Max(pair => float.IsNaN(pair.First) && float.IsNaN(pair.Second) ? 0 : float.IsNaN(pair.First - pair.Second) ? double.MaxValue : Math.Abs(pair.First - pair.Second));
        farthest.Should().BeLessThanOrEqualTo(10 * tolerance * Math.Max(1, expected.Map.Where(float.IsFinite).Max()), $"{what}: the maps are the same, and NaN in the same places");
        Close(got.Probability, expected.Probability, float.IsNaN(expected.Probability) ? 0 : 0.05, $"{what}: probability");
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
