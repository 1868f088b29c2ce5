namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Figures of one product with one draw of support images; metrics in 0..1, null where they cannot be told.</summary>
internal sealed record CellResult
{
    public required string Dataset { get; init; }

    public required string Class { get; init; }

    public required int Shots { get; init; }

    public required int Seed { get; init; }

    public double? ImageAuroc { get; init; }

    public double? ImageAp { get; init; }

    public double? ImageF1Max { get; init; }

    public double? PixelAuroc { get; init; }

    public double? PixelAp { get; init; }

    /// <summary>Exact, up to a false positive rate of 0.3.</summary>
    public double? Aupro { get; init; }

    /// <summary>The published code's form.</summary>
    public double? AuproStepped { get; init; }

    public double? SecondsFit { get; init; }

    public double? SecondsPerImage { get; init; }
}
