using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Kag;

namespace Microsoft.ML.KagPrompt;

/// <summary>KAG-prompt's own choices: graph prompt, memory bank, fusion, training.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record KagOptions : MethodOptions
{
    internal const string MethodName = FewShotCell.DefaultMethod;

    /// <summary>The graph prompt.</summary>
    public PromptOptions Prompt { get; init; } = new();

    /// <summary>How many of the supports' patches every patch is held against.</summary>
    public CoresetOptions Coreset { get; init; } = new();

    /// <summary>How the branches are put together.</summary>
    public ScoreFusion Fusion { get; init; } = new();

    /// <summary>How the graph prompt is trained.</summary>
    public TrainingOptions Training { get; init; } = new();

    internal override IReadOnlyDictionary<string, PromptEnsemble> Sentences => Prompt.Sentences;

    internal override bool Trains => Training.Epochs > 0;

    internal override IReadOnlyList<string> Files => Prompt.CheckpointPath is { } path ? [path] : [];

    internal override bool HasGraph => true;

    internal override IInspectionMethod Create(MethodStart start) => KagStart.Create(this, start);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => KagStart.Read(this, sizes, weights);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults
            .Require(Prompt is not null, nameof(Prompt), "options", Prompt)
            .Require(Coreset is not null, nameof(Coreset), "options", Coreset)
            .Require(Fusion is not null, nameof(Fusion), "options", Fusion)
            .Require(Training is not null, nameof(Training), "options", Training);
        Prompt?.CollectFaults(faults, nameof(Prompt));
        Coreset?.CollectFaults(faults, nameof(Coreset));
        Fusion?.CollectFaults(faults, nameof(Fusion) + ".");
        Training?.CollectFaults(faults, nameof(Training));
    }
}
