using Microsoft.ML.KagPrompt.Checkpoints;

namespace Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

/// <summary>Where AnomalyGPT's branches come from: nothing, the authors' checkpoint, an initial model, or a saved one.</summary>
internal static class AnomalyGptStart
{
    /// <summary>The branch the options ask for. The caller owns it.</summary>
    /// <exception cref="ArgumentException">There is no decoder, or no text tower.</exception>
    /// <exception cref="CheckpointMismatchException">The decoder was trained on other features.</exception>
    public static IInspectionMethod Create(AnomalyGptOptions options, MethodStart start)
    {
        if (options.Branch == AnomalyGptBranch.FewShot)
        {
            return new FewShotBranch(options, start.Sizes);
        }

        start.RequireText(AnomalyGptOptions.MethodName);
        return Placed(start.Sizes, Decoder(options, start));
    }

    /// <summary>The branch of a saved model. The caller owns it.</summary>
    public static IInspectionMethod Read(AnomalyGptOptions options, MethodSizes sizes, ITensorSource weights)
        => options.Branch == AnomalyGptBranch.FewShot ? new FewShotBranch(options, sizes)
            : Placed(sizes, ImageDecoder.Read(weights, sizes.Main.TapWidths, sizes.Main.JointWidth));

    private static ZeroShotBranch Placed(MethodSizes sizes, ImageDecoder decoder)
    {
        try
        {
            decoder.MoveTo(sizes.Device);
            return new ZeroShotBranch(sizes, decoder);
        }
        catch
        {
            decoder.Dispose();
            throw;
        }
    }

    private static ImageDecoder Decoder(AnomalyGptOptions options, MethodStart start)
    {
        var (widths, joint) = (start.Sizes.Main.TapWidths, start.Sizes.Main.JointWidth);
        if (options.DecoderPath is { } path)
        {
            using var source = CheckpointFile.Open(path);
            return ImageDecoder.ReadPublished(source, widths, joint);
        }

        return (start.Initial as ZeroShotBranch)?.CopyDecoder() ?? throw new ArgumentException(
            $"DecoderPath: expected a checkpoint with AnomalyGPT's image decoder for {nameof(AnomalyGptBranch)}."
            + $"{AnomalyGptBranch.ZeroShot}, got none; backbone '{start.BackboneName}' brings none along. "
            + $"Name the authors' checkpoint (trained on ImageBind-Huge), or take {AnomalyGptBranch.FewShot}, which needs none.");
    }
}
