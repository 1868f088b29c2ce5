using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>What a comparison of methods compares.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record ComparisonChoices
{
    private const int MostPictures = 100;

    /// <summary>
    /// The methods, each with its own choices and each once; by default all there are, as they are where nothing is chosen.
    /// </summary>
    public IReadOnlyList<MethodOptions> Methods { get; init; } = [.. InspectionMethods.Names.Select(InspectionMethods.Default)];

    /// <summary>
    /// Photographs of each product that are fitted on, 1 or more, drawn by <see cref="InspectionOptions.Seed"/>. Null: all of them, of
    /// which each method remembers as many as its <see cref="MethodOptions.Memory"/> says.
    /// </summary>
    public int? Shots { get; init; }

    /// <summary>Images whose maps are kept of every method, 0 to 100.</summary>
    public int Pictures { get; init; } = 4;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate() => new OptionFaults()
        .Require(
            Methods is { Count: > 0 } && Methods.All(method => method is not null)
                && Methods.DistinctBy(InspectionMethods.NameOf).Count() == Methods.Count,
            nameof(Methods),
            "at least one, each once",
            Methods is null
                ? null
                : string.Join(", ", Methods.Select(method => method is null ? "null" : InspectionMethods.NameOf(method))))
        .Require(Shots is null or >= 1, nameof(Shots), "1 or more, or null", Shots)
        .Require(Pictures is >= 0 and <= MostPictures, nameof(Pictures), $"0 to {MostPictures}", Pictures)
        .ThrowIfAny(nameof(ComparisonChoices));
}
