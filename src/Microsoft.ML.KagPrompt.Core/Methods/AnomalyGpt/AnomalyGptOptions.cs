using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// AnomalyGPT's image branches (Gu et al., AAAI 2024), as its published code computes them; the language model has no part in maps and
/// scores.
/// </summary>
/// <remarks>
/// Immutable; safe to share between threads. Maps are stretched until the outer patches lie on the outer pixels, whatever
/// <see cref="ImageOptions.MapUpsampling"/> says: that is part of the method, and its score is the largest value of the stretched map.
/// </remarks>
public sealed record AnomalyGptOptions : MethodOptions
{
    internal const string MethodName = "anomalygpt";

    /// <summary>
    /// The authors' choices: supports as they are. With <see cref="SupportViews.Turned"/> their four rotations enter the bank.
    /// </summary>
    public AnomalyGptOptions() => Memory = new() { Views = SupportViews.AsGiven, ViewShare = 1 };

    /// <summary>Which branch scores. With support images the published code takes the few-shot branch alone.</summary>
    public AnomalyGptBranch Branch { get; init; } = AnomalyGptBranch.FewShot;

    /// <summary>
    /// A checkpoint with the authors' image decoder ("image_decoder.fc.0.weight" and so on), trained on the features of
    /// <see cref="BackboneOptions.Name"/>; <see cref="AnomalyGptBranch.ZeroShot"/> needs it. A saved model holds the weights, not this
    /// name.
    /// </summary>
    [JsonIgnore]
    public string? DecoderPath { get; init; }

    /// <summary>
    /// Own sentences by class name for <see cref="AnomalyGptBranch.ZeroShot"/>; classes without an entry take the authors' 14 and 10.
    /// </summary>
    public IReadOnlyDictionary<string, PromptEnsemble> Prompts
    {
        get;
        // What was given may change; options do not.
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, PromptEnsemble>();

    internal override IReadOnlyDictionary<string, PromptEnsemble> Sentences => Prompts;

    internal override IReadOnlyList<string> Files => DecoderPath is null ? [] : [DecoderPath];

    internal override IInspectionMethod Create(MethodStart start) => AnomalyGptStart.Create(this, start);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => AnomalyGptStart.Read(this, sizes, weights);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults
            .Require(Enum.IsDefined(Branch), nameof(Branch), "a defined branch", Branch)
            .Require(DecoderPath != "", nameof(DecoderPath), "a file, or null", DecoderPath)
            .Require(DecoderPath is null || Branch == AnomalyGptBranch.ZeroShot, nameof(Branch),
                $"{AnomalyGptBranch.ZeroShot} with the decoder '{DecoderPath}'", Branch)
            .Require(Prompts is not null, nameof(Prompts), "sentences by class name", Prompts);
        foreach (var (name, ensemble) in Prompts ?? new Dictionary<string, PromptEnsemble>())
        {
            faults.Require(ensemble is not null, $"{nameof(Prompts)}['{name}']", "an ensemble", ensemble);
            ensemble?.CollectFaults(faults, $"{nameof(Prompts)}['{name}']");
        }
    }
}
