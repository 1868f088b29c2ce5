using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt;

/// <summary>The few-shot protocol: how many support images, how often drawn, on what the prompt is trained, and what is varied.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record FewShotProtocol
{
    /// <summary>
    /// Numbers k of support images, each 1 or more, in any order; each product needs as many normal images as the largest.
    /// </summary>
    public IReadOnlyList<int> Shots { get; init; } = [1, 2, 4];

    /// <summary>
    /// Draws of the support images, 1 or more: draw d shuffles a product's normal images with seed d and takes the first k,
    /// so that fewer shots are the beginning of more.
    /// </summary>
    public int Draws { get; init; } = 5;

    /// <summary>How supports are drawn; <see cref="SupportDraw.Paper"/> is one draw, of at most four images.</summary>
    public SupportDraw SupportDraw { get; init; }

    /// <summary>
    /// The data set whose normal images train the graph prompt once, for all products of the others, as the paper does.
    /// Null: each product trains its own on its normal images, if <see cref="TrainingOptions.Epochs"/> is above 0.
    /// </summary>
    public FewShotDataset? TrainOn { get; init; }

    /// <summary>What is varied around the options' own configuration; for KAG-prompt alone.</summary>
    public IReadOnlyList<Ablation> Ablations { get; init; } = [];

    /// <summary>
    /// A folder of one small file a cell, from which a run that was stopped, or killed, goes on; null: none.
    /// Files appear whole or not at all. A cell is used again where options, initial model and library are the same, and image files have
    /// the same paths, lengths and times; images that are no files are known by their paths alone.
    /// </summary>
    public string? CellFolder { get; init; }

    /// <summary>Checks every value against the options it will be used with.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate(InspectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var (own, trains) = (FewShotConfiguration.From(options), options.Method.Trains);
        var faults = new OptionFaults()
            .Require(
                Shots is { Count: > 0 } && Shots.All(shots => shots >= 1),
                nameof(Shots),
                "numbers of 1 or more, at least one",
                Shots is null ? null : string.Join(", ", Shots))
            .Require(Draws >= 1, nameof(Draws), "1 or more", Draws)
            .Require(SupportDraw == SupportDraw.Random || Draws == 1, nameof(Draws), $"1 with {nameof(SupportDraw)}.{SupportDraw}", Draws)
            .Require(SupportDraw == SupportDraw.Random || Shots is null || Shots.All(shots => shots <= Product.PaperSupports),
                nameof(Shots), $"at most {Product.PaperSupports} with {nameof(SupportDraw)}.{SupportDraw}",
                Shots is null ? null : string.Join(", ", Shots))
            .Require(TrainOn is null || trains, nameof(TrainOn), "null without training: set Training.Epochs above 0", TrainOn?.Name)
            .Require(Ablations is not null, nameof(Ablations), "a list", Ablations)
            .Require(
                Ablations is not { Count: > 0 } || options.Method is KagOptions,
                nameof(Ablations),
                "none but with KAG-prompt",
                options.Method.GetType().Name)
            .Require(CellFolder != "", nameof(CellFolder), "a folder, or null", CellFolder);
        foreach (var point in Ablations?.SelectMany(ablation => ablation.Points) ?? [])
        {
            var (iterations, fusion) = point.Configuration;
            fusion.CollectFaults(faults, $"{nameof(Ablations)} '{point.Label}'.");
            faults.Require(iterations is >= 0 and <= 64, $"{nameof(Ablations)} '{point.Label}'", "0 to 64 iterations", iterations)
                .Require(
                    iterations == own.Iterations || trains,
                    $"{nameof(Ablations)} '{point.Label}'",
                    $"{own.Iterations} iterations, or Training.Epochs above 0, as every other number trains a prompt of its own",
                    iterations);
        }

        faults.ThrowIfAny(nameof(FewShotProtocol));
    }

    /// <summary>All configurations, the run's own first, each once; those that share a training follow one another.</summary>
    internal IReadOnlyList<FewShotConfiguration> Configurations(FewShotConfiguration own) =>
    [
        .. Ablations.SelectMany(ablation => ablation.Points).Select(point => point.Configuration).Prepend(own).Distinct()
            .GroupBy(configuration => configuration.Iterations).SelectMany(group => group),
    ];
}
