using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AprilGan;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// APRIL-GAN's choices: linear heads bring patches of several layers before words, and patches are held against those of the supports. It
/// needs a backbone with a text side; the authors take CLIP's ViT-L/14-336 at 518 pixels.
/// </summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record AprilGanOptions : MethodOptions
{
    internal const string MethodName = "aprilgan";

    /// <summary>Passes where untrained heads are trained and nothing is said.</summary>
    internal const int DefaultEpochs = 15;

    /// <summary>The authors' choices. Supports enter as they are, neither turned nor mirrored.</summary>
    public AprilGanOptions() => Memory = new() { Views = SupportViews.AsGiven };

    /// <summary>
    /// Whether words alone score, the supports serving training and threshold only; false, the default: words and supports.
    /// </summary>
    public bool ZeroShot { get; init; }

    /// <summary>How the heads are trained.</summary>
    public HeadTrainingOptions Training { get; init; } = new();

    /// <summary>
    /// A file of trained heads, as the authors publish them (trained on MVTec AD or VisA), as the starting point; it must fit the
    /// backbone's layers. A saved model holds the weights, not this name.
    /// </summary>
    [JsonIgnore]
    public string? HeadsPath { get; init; }

    /// <summary>Own sentences by class name; classes without an entry take the method's 245 normal and 175 abnormal ones.</summary>
    public IReadOnlyDictionary<string, PromptEnsemble> Prompts
    {
        get;
        // What was given may change; options do not.
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, PromptEnsemble>();

    internal override IReadOnlyDictionary<string, PromptEnsemble> Sentences => Prompts;

    internal override bool Trains => (Training.Epochs ?? (HeadsPath is null ? DefaultEpochs : 0)) > 0;

    internal override IReadOnlyList<string> Files => HeadsPath is { } path ? [path] : [];

    internal override IInspectionMethod Create(MethodStart start)
    {
        start.RequireText(MethodName);
        return AprilGanStart.Create(this, start);
    }

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => AprilGanStart.Read(this, sizes, weights);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults.Require(Training is not null, nameof(Training), "options", Training)
            .Require(HeadsPath != "", nameof(HeadsPath), "a file, or null", HeadsPath);
        Training?.CollectFaults(faults, nameof(Training));
        PromptEnsemble.CollectFaults(faults, Prompts, nameof(Prompts));
    }
}
