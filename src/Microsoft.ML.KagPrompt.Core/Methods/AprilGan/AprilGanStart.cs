using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <summary>Where the linear heads start from: an initial model's, a file of trained ones, or drawn anew.</summary>
internal static class AprilGanStart
{
    /// <summary>The method at its start. The caller owns it.</summary>
    /// <exception cref="ArgumentException">The options do not fit what there is to start from.</exception>
    /// <exception cref="CheckpointMismatchException">The file holds heads for other features.</exception>
    public static AprilGanMethod Create(AprilGanOptions options, MethodStart start)
    {
        new OptionFaults()
            .Require(options.HeadsPath is null || start.Initial is null, nameof(options.HeadsPath),
                "null with an initial model, which is a starting point", options.HeadsPath)
            .Require(options.Training.Epochs != 0 || options.HeadsPath is not null || start.Initial is not null, "Training.Epochs",
                $"above 0 where the heads are untrained (or trained heads: {nameof(options.HeadsPath)}, an initial model)", 0)
            .ThrowIfAny(nameof(AprilGanOptions));
        var info = start.Sizes.Main;
        var trained = (start.Initial as AprilGanMethod)?.Heads.Copy() ?? FromFile(options.HeadsPath, start);
        var heads = trained ?? new LinearHeads(info.TapWidths, info.JointWidth, start.Seed);
        return Method(options, start.Sizes, heads, startsTrained: trained is not null);
    }

    /// <summary>The method of a saved model. The caller owns it.</summary>
    public static AprilGanMethod Read(AprilGanOptions options, MethodSizes sizes, ITensorSource weights)
        => Method(options, sizes, LinearHeads.Read(sizes.Main.TapWidths, sizes.Main.JointWidth, weights), startsTrained: true);

    private static AprilGanMethod Method(AprilGanOptions options, MethodSizes sizes, LinearHeads heads, bool startsTrained)
    {
        try
        {
            heads.MoveTo(sizes.Device);
            return new AprilGanMethod(options, sizes, heads, startsTrained);
        }
        catch
        {
            heads.Dispose();
            throw;
        }
    }

    private static LinearHeads? FromFile(string? path, MethodStart start)
    {
        if (path is null)
        {
            return null;
        }

        using var source = CheckpointFile.Open(path);
        try
        {
            return LinearHeads.Read(start.Sizes.Main.TapWidths, start.Sizes.Main.JointWidth, source);
        }
        catch (CheckpointMismatchException fault)
        {
            throw new CheckpointMismatchException(
                $"'{path}' does not hold heads for backbone '{start.BackboneName}' and its tapped layers, "
                + $"of widths {string.Join(", ", start.Sizes.Main.TapWidths)} and joint width {start.Sizes.Main.JointWidth}. Name the "
                + "backbone and the layers (Backbone.Taps) they were trained on; the authors': CLIP ViT-L/14-336, 6, 12, 18, 24. "
                + fault.Message);
        }
    }
}
