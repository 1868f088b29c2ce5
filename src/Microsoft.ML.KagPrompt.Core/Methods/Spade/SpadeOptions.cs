using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Spade;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// SPADE's own choices (Cohen and Hoshen, 2020): the supports most like an image, and the distance of its features, stage by stage, to
/// theirs.
/// </summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record SpadeOptions : MethodOptions
{
    internal const string MethodName = "spade";

    /// <summary>The defaults; supports are remembered as they are, unturned.</summary>
    public SpadeOptions() => Memory = new() { Views = SupportViews.AsGiven };

    /// <summary>Supports K that an image is held against, 1 to 1,000; of fewer supports, all.</summary>
    public int Neighbours { get; init; } = 5;

    /// <summary>
    /// Stages of the backbone whose features are compared, counted from 1, ascending. Null: 1, 2 and 3. Of a backbone without stages, a
    /// transformer say, its taps.
    /// </summary>
    public IReadOnlyList<int>? Layers { get; init => field = value is null ? null : Array.AsReadOnly(value.ToArray()); }

    /// <summary>
    /// Whether, as the code that figures were published with does, the rest of the features beyond the last whole hundred are left out of
    /// each comparison. It is a mistake there, which depends on their order; true reproduces it. Fewer than a hundred are all compared.
    /// </summary>
    public bool LosesRemainder { get; init; }

    internal override IInspectionMethod Create(MethodStart start) => new SpadeMethod(this, start.Sizes);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => new SpadeMethod(this, sizes);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults
            .Require(Neighbours is >= 1 and <= 1000, nameof(Neighbours), "1 to 1000", Neighbours)
            .Require(Layers is null
                || (Layers.Count is >= 1 and <= 4 && Layers[0] >= 1 && Layers.Zip(Layers.Skip(1)).All(pair => pair.First < pair.Second)),
                nameof(Layers), "one to four stages, ascending from 1, or null", Layers is null ? null : string.Join(", ", Layers));
    }
}
