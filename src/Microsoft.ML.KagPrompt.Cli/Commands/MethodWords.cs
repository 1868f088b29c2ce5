using System.CommandLine;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>The words that some methods alone know: how long they train, from which trained parts, and whether words alone score.</summary>
internal sealed class MethodWords
{
    private static readonly string AnomalyGpt = InspectionMethods.NameOf(new AnomalyGptOptions());
    private static readonly string AprilGan = InspectionMethods.NameOf(new AprilGanOptions());
    private static readonly string PromptAd = InspectionMethods.NameOf(new PromptAdOptions());
    private static readonly string WinClip = InspectionMethods.NameOf(new WinClipOptions());

    /// <summary>--epochs.</summary>
    public Option<int?> Epochs { get; } = new("--epochs")
    {
        // APRIL-GAN's 15 and 0 are what HeadTrainingOptions says of null.
        Description = $"Passes over the normal images when training, of {PromptAd} steps. Unless given: {MethodOption.Kag} "
            + $"{new KagOptions().Training.Epochs}, {AprilGan} 15 (0 from trained heads), {PromptAd} {new PromptAdOptions().Epochs}. "
            + $"Of {MethodOption.Kag} 0 trains nothing: the prompt of the initial model or of the compact backbone as it is, else the "
            + "memory bank alone; more need a backbone with a text side: --backbone compact.",
        CustomParser = Typed.WholeOrNone(0),
    };

    /// <summary>--heads.</summary>
    public Option<string?> Heads { get; } = new("--heads")
    {
        Description = $"A file of trained heads, as {AprilGan}'s authors publish them, to start from; with --epochs they are trained on.",
    };

    /// <summary>--decoder.</summary>
    public Option<string?> Decoder { get; } = new("--decoder")
    {
        Description = $"A file with the trained image decoder of {AnomalyGpt}'s authors; by it, words alone score.",
    };

    /// <summary>--zero-shot.</summary>
    public Option<bool> ZeroShot { get; } = new("--zero-shot")
    {
        Description = $"{WinClip}, {AprilGan} and, with a decoder, {AnomalyGpt} score by words alone; normal images serve the threshold, "
            + "and training if there is any.",
    };

    /// <summary>Refuses them where no method that was named knows them, and where one that does lacks what it needs for them.</summary>
    public void AddRules(Verb command, Option method, Option initial)
    {
        command.RefuseForOthers(method, [MethodOption.Kag, AprilGan, PromptAd], Epochs);
        command.RefuseForOthers(method, [AprilGan], Heads);
        command.RefuseForOthers(method, [AnomalyGpt], Decoder);
        command.RefuseForOthers(method, [WinClip, AprilGan, AnomalyGpt], ZeroShot);
        command.AddRule(result =>
        {
            bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
            if (IsGiven(ZeroShot) && !IsGiven(Decoder) && !IsGiven(initial) && MethodOption.Chosen(result, method).Contains(AnomalyGpt))
            {
                result.AddError($"{ZeroShot.Name} of {AnomalyGpt} needs {Decoder.Name}, the file with its trained image decoder.");
            }
        });
    }

    /// <summary>What was said.</summary>
    public MethodChoices Read(ParseResult parsed) => new()
    {
        Epochs = parsed.GetValue(Epochs),
        HeadsPath = parsed.GetValue(Heads),
        DecoderPath = parsed.GetValue(Decoder),
        ZeroShot = parsed.GetValue(ZeroShot),
    };
}
