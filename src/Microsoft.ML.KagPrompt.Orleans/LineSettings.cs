using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>What a line inspects, and by what.</summary>
/// <remarks>Immutable. Kept with the line, and with it after a restart.</remarks>
[GenerateSerializer, Immutable, Alias("kagprompt.line-settings")]
public sealed record LineSettings
{
    /// <summary>Most scores that <see cref="TeachingScores"/> may hold.</summary>
    public const int MostTeachingScores = 1000;

    // An array, whatever list it came as: not every kind of list can be sent.
    [Id(3)]
    private readonly float[] scores = [];

    /// <summary>The product, as the silos' hosting calls it.</summary>
    [Id(0)]
    public required string Product { get; init; }

    /// <summary>The one version of its model that may decide; null: whichever a silo serves.</summary>
    [Id(1)]
    public string? ModelVersion { get; init; }

    /// <summary>The threshold of this line, finite; null: the model's own.</summary>
    [Id(2)]
    public float? Threshold { get; init; }

    /// <summary>
    /// Scores of good parts when the line was taught, finite, at most <see cref="MostTeachingScores"/>: what drift is told against. None:
    /// drift is not told.
    /// </summary>
    public IReadOnlyList<float> TeachingScores { get => scores; init => scores = value?.ToArray() ?? []; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate() => new OptionFaults()
        .Require(PlantName.Is(Product, 64), nameof(Product), PlantName.Expected(64), Product)
        .Require(ModelVersion is null || PlantName.Is(ModelVersion, 100), nameof(ModelVersion),
            $"{PlantName.Expected(100)}, or null", ModelVersion)
        .Require(Threshold is null || float.IsFinite(Threshold.Value), nameof(Threshold), "a finite number, or null", Threshold)
        .Require(scores.Length <= MostTeachingScores && scores.All(float.IsFinite), nameof(TeachingScores),
            $"at most {MostTeachingScores} finite numbers", $"{scores.Length}, or some that are not finite")
        .ThrowIfAny(nameof(LineSettings));
}
