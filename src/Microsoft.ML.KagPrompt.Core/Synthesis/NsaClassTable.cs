namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>The parameters NSA's authors chose for the fifteen products of MVTec AD.</summary>
internal static class NsaClassTable
{
    /// <summary>By the products' names there; case does not matter.</summary>
    public static readonly IReadOnlyDictionary<string, SynthesisOptions> Classes
        = new Dictionary<string, SynthesisOptions>(StringComparer.OrdinalIgnoreCase)
    {
        ["bottle"] = Object(steepness: 1.0 / 12, midpoint: 24) with { Background = 200, BackgroundThreshold = 60 },
        ["cable"] = Object(steepness: 1.0 / 12, midpoint: 24) with { MinHeight = 0.05, MinWidth = 0.05 },
        ["capsule"] = Object(steepness: 1.0 / 2, midpoint: 4) with { MaxHeight = 0.15, Background = 200, BackgroundThreshold = 60 },
        ["hazelnut"] = Object(steepness: 1.0 / 12, midpoint: 24) with { MaxHeight = 0.35, MaxWidth = 0.35, Background = 20 },
        ["metal_nut"] = Object(steepness: 1.0 / 3, midpoint: 7) with { Background = 20 },
        ["pill"] = Object(steepness: 1.0 / 3, midpoint: 7) with { MaxHeight = 0.2, Background = 20 },
        ["screw"] = Object(steepness: 1, midpoint: 3)
            with { MaxHeight = 0.12, MaxWidth = 0.12, Background = 200, BackgroundThreshold = 60 },
        ["toothbrush"] = Object(steepness: 1.0 / 6, midpoint: 15) with { MaxWidth = 0.2, Background = 20 },
        ["transistor"] = Object(steepness: 1.0 / 6, midpoint: 15),
        ["zipper"] = Object(steepness: 1.0 / 6, midpoint: 15) with { MaxWidth = 0.2, Background = 200, BackgroundThreshold = 60 },
        ["carpet"] = Texture(steepness: 1.0 / 3, midpoint: 7),
        ["grid"] = Texture(steepness: 1.0 / 3, midpoint: 7),
        ["leather"] = Texture(steepness: 1.0 / 3, midpoint: 7),
        ["tile"] = Texture(steepness: 1.0 / 3, midpoint: 7),
        ["wood"] = Texture(steepness: 1.0 / 6, midpoint: 15),
    };

    private static SynthesisOptions Object(double steepness, double midpoint) =>
        new() { LogisticSteepness = steepness, LogisticMidpoint = midpoint, MinScale = 0.7, MaxScale = 1.3 };

    private static SynthesisOptions Texture(double steepness, double midpoint) =>
        new() { LogisticSteepness = steepness, LogisticMidpoint = midpoint };
}
