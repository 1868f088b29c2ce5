using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Rad;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// RAD's position-local search: each patch is held against the normal patches that lay near its own place alone. It suits parts that all
/// lie alike, whose defects are often right things in the wrong place; of parts that lie anyhow it makes alarms.
/// </summary>
/// <remarks>Immutable; safe to share between threads. The search alone: all supports are searched, none is chosen by its likeness
/// first.</remarks>
public sealed record RadOptions : PatchScorerOptions
{
    internal const string MethodName = "rad";

    /// <summary>Supports enter the bank as they are: in a turned one, places mean nothing.</summary>
    public RadOptions() => Memory = new() { Views = SupportViews.AsGiven, ViewShare = 1 };

    /// <summary>How many cells away in rows and columns a normal patch may lie, 0 to 256.</summary>
    public int Radius { get; init; } = 2;

    internal override IInspectionMethod Create(MethodStart start) => new LocalScorer(this, start.Sizes);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => new LocalScorer(this, sizes);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults.Require(Radius is >= 0 and <= 256, nameof(Radius), "0 to 256", Radius);
    }
}
