using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// How many of a support's patches every patch of an image is held against. Of each support, and in each layer, those enter the memory bank
/// that leave none of the others far away (k-centre, greedily: the one least like all is first, the one least like those taken next), so
/// that what is rare in a picture stays and what repeats itself goes. No random number takes part. Patches that are held against their own
/// place alone (<see cref="ScoreFusion.NearWeight"/>) all stay.
/// </summary>
/// <remarks>
/// Immutable, compared by value. An image's time grows with the patches that are kept. The share counts first; <see cref="Pictures"/>
/// bounds what many supports keep together.
/// </remarks>
public sealed record CoresetOptions
{
    /// <summary>Share of a support's patches, above 0 to 1; 1: all of them.</summary>
    public float Share { get; init; } = 0.5f;

    /// <summary>
    /// All supports together keep at most as many patches as so many pictures have, 1 to 100,000, each support its equal part of them, but
    /// at least one patch. Null: no bound. The default is reached by eight supports.
    /// </summary>
    public int? Pictures { get; init; } = 8;

    /// <summary>All patches are kept, as the paper has it.</summary>
    public static CoresetOptions Off { get; } = new() { Share = 1, Pictures = null };

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(Share is > 0 and <= 1, $"{group}.{nameof(Share)}", "above 0 to 1", Share)
        .Require(Pictures is null or (>= 1 and <= 100_000), $"{group}.{nameof(Pictures)}", "1 to 100000, or null", Pictures);

    /// <summary>How many patches of a layer a support keeps.</summary>
    /// <param name="patches">Those it has, of all its views.</param>
    /// <param name="ofPicture">Those of a picture.</param>
    /// <param name="supports">How many supports there are.</param>
    internal int Count(int patches, int ofPicture, int supports)
    {
        var share = (int)Math.Ceiling(patches * (double)Share);
        var bound = Pictures is { } most ? Math.Max(1, (long)most * ofPicture / supports) : patches;
        return (int)Math.Min(share, bound);
    }
}
