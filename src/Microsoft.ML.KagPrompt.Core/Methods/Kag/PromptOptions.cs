using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Kag;

namespace Microsoft.ML.KagPrompt;

/// <summary>The graph prompt: which form it has, what it is told in words, where it starts from.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record PromptOptions
{
    /// <summary>The paper's graph prompt, or the one of the authors' published code, which their checkpoints need.</summary>
    public GraphVariant Variant { get; init; } = GraphVariant.Paper;

    /// <summary>
    /// Rounds T of message passing in the graph, 0 to 64 (equations 3 to 10); 0: no graph, the multi-kernel convolution alone.
    /// </summary>
    public int Iterations { get; init; } = 5;

    /// <summary>Own sentences by class name; classes without an entry take the paper's.</summary>
    public IReadOnlyDictionary<string, PromptEnsemble> Sentences
    {
        get;
        // What was given may change; options do not.
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, PromptEnsemble>();

    /// <summary>
    /// Whether the graph prompt starts untrained: not from the initial model's, nor from one that comes with the backbone. Without training
    /// (<see cref="TrainingOptions.Epochs"/> = 0) the memory bank then scores alone.
    /// </summary>
    public bool FromScratch { get; init; }

    /// <summary>
    /// A checkpoint that the paper's authors published (train_on_mvtec.pt and the like) as the starting point; needs <see cref="Variant"/>
    /// Released and the backbone it was trained on. A saved model holds the weights, not this name.
    /// </summary>
    [JsonIgnore]
    public string? CheckpointPath { get; init; }

    /// <summary>
    /// Whether a trained prompt of this variant and number of iterations comes with a backbone; a fit starts from it where nothing else is
    /// named. Its weights are not read.
    /// </summary>
    /// <param name="backbone">Which, and where it is looked for.</param>
    /// <exception cref="ArgumentException">There is no such backbone.</exception>
    /// <exception cref="CheckpointFormatException">Its file is damaged.</exception>
    /// <exception cref="CheckpointMismatchException">Its file is of no known family.</exception>
    public bool ComesWith(BackboneOptions backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        return Among(BackboneSources.Open(backbone.Name, backbone.Folders).Heads) is not null;
    }

    /// <summary>The trained weights of this form; null where there are none.</summary>
    internal PretrainedHead? Among(IReadOnlyList<PretrainedHead> heads)
        => heads.FirstOrDefault(head => head.Method == KagVariant.For(Variant).HeadName && head.Iterations == Iterations);

    internal void CollectFaults(OptionFaults faults, string group)
    {
        foreach (var (name, ensemble) in Sentences ?? new Dictionary<string, PromptEnsemble>())
        {
            faults.Require(ensemble is not null, $"{group}.{nameof(Sentences)}['{name}']", "an ensemble", ensemble);
            ensemble?.CollectFaults(faults, $"{group}.{nameof(Sentences)}['{name}']");
        }

        faults
            .Require(Sentences is not null, $"{group}.{nameof(Sentences)}", "sentences by class name", Sentences)
            .Require(Enum.IsDefined(Variant), $"{group}.{nameof(Variant)}", "a defined variant", Variant)
            .Require(Iterations is >= 0 and <= 64, $"{group}.{nameof(Iterations)}", "0 to 64", Iterations)
            .Require(CheckpointPath != "", $"{group}.{nameof(CheckpointPath)}", "a file, or null", CheckpointPath)
            .Require(CheckpointPath is null || Variant == GraphVariant.Released, $"{group}.{nameof(Variant)}",
                $"{GraphVariant.Released} with the authors' checkpoint '{CheckpointPath}'", Variant)
            .Require(CheckpointPath is null || !FromScratch, $"{group}.{nameof(FromScratch)}",
                $"false with the checkpoint '{CheckpointPath}', which is a starting point", FromScratch);
    }
}
