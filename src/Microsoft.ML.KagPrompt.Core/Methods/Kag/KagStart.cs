using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// Where a graph prompt starts from: an initial model's, one that comes with the backbone, the authors' checkpoint, or drawn anew.
/// </summary>
internal static class KagStart
{
    private const int GraphLayers = 4;

    /// <summary>The method at its start. The caller owns it.</summary>
    /// <exception cref="ArgumentException">The options do not fit what there is to start from.</exception>
    /// <exception cref="CheckpointMismatchException">The checkpoint was trained on other features.</exception>
    public static IInspectionMethod Create(KagOptions options, MethodStart start)
    {
        CheckInitial(options, start.Initial);
        var trained = options.Prompt.FromScratch
            ? null
            : FromCheckpoint(options, start) ?? FromInitial(options, start) ?? FromBackbone(options, start);
        var prompt = trained ?? (options.Training.Epochs > 0 ? new GraphPrompt(Config(options, start.Sizes), start.Seed) : null);
        prompt?.MoveTo(start.Sizes.Device);
        return new KagMethod(options, start.Sizes, prompt, startsTrained: trained is not null);
    }

    /// <summary>The method of a saved model. The caller owns it.</summary>
    public static IInspectionMethod Read(KagOptions options, MethodSizes sizes, ITensorSource weights)
    {
        var prompt = weights.Entries.Count == 0 ? null : GraphPrompt.Read(Config(options, sizes), weights);
        prompt?.MoveTo(sizes.Device);
        return new KagMethod(options, sizes, prompt, startsTrained: true);
    }

    /// <exception cref="ArgumentException">The graph's layers are four.</exception>
    private static GraphPromptConfig Config(KagOptions options, MethodSizes sizes) => sizes.Main.PromptTaps.Widths.Count == GraphLayers
        ? GraphPromptConfig.For(sizes.Main, options.Prompt.Variant, options.Prompt.Iterations)
        : throw new ArgumentException(
            $"Backbone.Taps: expected {GraphLayers} with a graph prompt, got {sizes.Main.PromptTaps.Widths.Count}. "
            + $"Name {GraphLayers} blocks of a backbone with a text side ('{Backbones.BackboneSources.Compact}' is the embedded one), "
            + "or let the memory bank score alone (Training.Epochs 0).");

    private static void CheckInitial(KagOptions options, IInspectionMethod? initial)
    {
        new OptionFaults()
            .Require(initial is null or KagMethod, "Method", "the initial model's method", options.GetType().Name)
            .Require(options.Prompt.CheckpointPath is null || initial is null, "Prompt.CheckpointPath",
                "null with an initial model, which is a starting point", options.Prompt.CheckpointPath)
            .Require((initial as KagMethod)?.Prompt is not { } known || known.Variant == options.Prompt.Variant, "Prompt.Variant",
                "the initial model's", options.Prompt.Variant)
            .ThrowIfAny(nameof(KagOptions));
    }

    private static GraphPrompt? FromInitial(KagOptions options, MethodStart start)
    {
        if ((start.Initial as KagMethod)?.Prompt is not { } initial)
        {
            return null;
        }

        var prompt = new GraphPrompt(Config(options, start.Sizes), start.Seed);
        try
        {
            prompt.MoveTo(start.Sizes.Device);
            prompt.CopyFrom(initial);
            return prompt;
        }
        catch
        {
            prompt.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A backbone may bring prompts along; one that was trained otherwise than asked for is no substitute,
    /// and leaving it out must not go unsaid.
    /// </summary>
    private static GraphPrompt? FromBackbone(KagOptions options, MethodStart start)
    {
        // A model may hold an earlier backbone, which the prompts do not know.
        if (start.Initial is not null || start.Heads.Count == 0)
        {
            return null;
        }

        if (options.Prompt.Among(start.Heads) is { } fitting)
        {
            using var source = fitting.Open();
            return GraphPrompt.Read(Config(options, start.Sizes), source);
        }

        return options.Training.Epochs > 0 ? null : throw new ArgumentException(
            $"Prompt.Variant {options.Prompt.Variant} and Prompt.Iterations {options.Prompt.Iterations}: "
            + $"backbone '{start.BackboneName}' brings no graph prompt of that form "
            + $"({string.Join("; ", start.Heads.Select(head => $"it has '{head.Method}' with {head.Iterations} iterations"))}), "
            + "and Training.Epochs is 0. "
            + "Train (Training.Epochs above 0), keep the defaults, or let the memory bank score alone (Prompt.FromScratch).");
    }

    /// <summary>The authors' prompt, which must have been trained on features of these sizes.</summary>
    private static GraphPrompt? FromCheckpoint(KagOptions options, MethodStart start)
    {
        if (options.Prompt.CheckpointPath is not { } path)
        {
            return null;
        }

        using var source = CheckpointFile.Open(path);
        var prompt = ReleasedCheckpoint.Read(source, options.Prompt.Iterations);
        var info = start.Sizes.Main;
        if (prompt.TapWidths.SequenceEqual(info.PromptTaps.Widths) && prompt.JointWidth == info.JointWidth)
        {
            return prompt;
        }

        var widths = $"{string.Join(", ", prompt.TapWidths)} and joint width {prompt.JointWidth}";
        prompt.Dispose();
        throw new CheckpointMismatchException($"'{path}' was trained on features of widths {widths}: backbone '{start.BackboneName}' gives "
            + $"{string.Join(", ", info.PromptTaps.Widths)} and {info.JointWidth}. "
            + "Name the backbone it was trained on (the authors': ImageBind-Huge).");
    }
}
