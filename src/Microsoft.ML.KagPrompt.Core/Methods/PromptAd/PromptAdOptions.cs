using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.PromptAd;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// PromptAD (Li et al., CVPR 2024): prompts with learned words, trained for each class on its supports alone, beside two banks of normal
/// patches. It needs a transformer with a text tower: a CLIP, OpenCLIP or ImageBind checkpoint.
/// </summary>
/// <remarks>
/// Immutable; safe to share between threads. The defaults are the authors'. Unlike their code, no epoch is chosen by the test images: the
/// last one counts.
/// </remarks>
public sealed record PromptAdOptions : MethodOptions
{
    internal const string MethodName = "promptad";

    private const int MostStates = 100;
    private const int LongestState = 200;

    /// <summary>Supports are taken as they are.</summary>
    public PromptAdOptions() => Memory = new() { Views = SupportViews.AsGiven, ViewShare = 1 };

    /// <summary>Steps of each of the two trainings of a class, 1 to 10,000; each step sees all its supports.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>Learning rate at the start, above 0, at most 10; it falls to 0.00001 along a cosine.</summary>
    public float LearningRate { get; init; } = 0.002f;

    /// <summary>Share of a step's direction that the next one keeps, 0 to below 1.</summary>
    public float Momentum { get; init; } = 0.9f;

    /// <summary>Weight decay of the learned words, 0 to 1.</summary>
    public float WeightDecay { get; init; } = 0.0005f;

    /// <summary>λ: weight of the loss that draws learned and given abnormal prompts together, 0 to 1000.</summary>
    public float AlignmentWeight { get; init; } = 0.001f;

    /// <summary>Learned words before every product name, 1 to 16.</summary>
    public int NormalWords { get; init; } = 4;

    /// <summary>Learned words that make such a prompt abnormal, 1 to 16.</summary>
    public int AbnormalWords { get; init; } = 1;

    /// <summary>Normal prompts of the map's training, 1 to 64.</summary>
    public int MapPrompts { get; init; } = 1;

    /// <summary>Normal prompts of the image score's training, 1 to 64.</summary>
    public int ImagePrompts { get; init; } = 3;

    /// <summary>Learned abnormal prompts a normal one, 1 to 64.</summary>
    public int AbnormalPrompts { get; init; } = 4;

    /// <summary>Standard deviation in pixels of the Gaussian that smooths the map, 0 (none) to 64.</summary>
    public float MapSigma { get; init; } = 4;

    /// <summary>
    /// Beside the eight that hold for any product, phrases for the defects of a class, by its name; "{}" stands for the name ("{} with a
    /// bent lead"). The authors have some for each product of MVTec AD and VisA. Up to 100 a class, each of 1 to 200 characters.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> ClassStates
    {
        get;
        // What was given may change; options do not.
        init => field = value?.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<string>)(entry.Value?.ToArray().AsReadOnly()!))
            .AsReadOnly()!;
    } = new Dictionary<string, IReadOnlyList<string>>();

    internal override bool TakesTiles => false;

    internal override IInspectionMethod Create(MethodStart start) => PromptAdStart.Create(this, start);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => PromptAdStart.Read(this, sizes);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults
            .Require(Epochs is >= 1 and <= 10_000, nameof(Epochs), "1 to 10000", Epochs)
            .Require(LearningRate is > 0 and <= 10, nameof(LearningRate), "above 0, at most 10", LearningRate)
            .Require(Momentum is >= 0 and < 1, nameof(Momentum), "0 to below 1", Momentum)
            .Require(WeightDecay is >= 0 and <= 1, nameof(WeightDecay), "0 to 1", WeightDecay)
            .Require(AlignmentWeight is >= 0 and <= 1000, nameof(AlignmentWeight), "0 to 1000", AlignmentWeight)
            .Require(NormalWords is >= 1 and <= 16, nameof(NormalWords), "1 to 16", NormalWords)
            .Require(AbnormalWords is >= 1 and <= 16, nameof(AbnormalWords), "1 to 16", AbnormalWords)
            .Require(MapPrompts is >= 1 and <= 64, nameof(MapPrompts), "1 to 64", MapPrompts)
            .Require(ImagePrompts is >= 1 and <= 64, nameof(ImagePrompts), "1 to 64", ImagePrompts)
            .Require(AbnormalPrompts is >= 1 and <= 64, nameof(AbnormalPrompts), "1 to 64", AbnormalPrompts)
            .Require(MapSigma is >= 0 and <= 64, nameof(MapSigma), "0 to 64", MapSigma)
            .Require(ClassStates is not null, nameof(ClassStates), "phrases by class name", ClassStates);
        foreach (var (name, states) in ClassStates ?? new Dictionary<string, IReadOnlyList<string>>())
        {
            faults.Require(states is { Count: <= MostStates }, $"{nameof(ClassStates)}['{name}']", $"up to {MostStates} phrases",
                states?.Count)
                .Require(states?.All(state => state is { Length: >= 1 and <= LongestState }
                    && state.Contains("{}", StringComparison.Ordinal)) != false,
                    $"{nameof(ClassStates)}['{name}']", $"phrases of 1 to {LongestState} characters with {{}} for the name", "another");
        }
    }
}
