namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>What of the methods' own choices the command line can say, for several methods at once.</summary>
internal sealed record MethodChoices
{
    /// <summary>Epochs of whichever method trains; null: each method's own default.</summary>
    public int? Epochs { get; init; }

    /// <summary>A file of APRIL-GAN's trained heads; null: none.</summary>
    public string? HeadsPath { get; init; }

    /// <summary>A file with AnomalyGPT's trained image decoder, by which words alone score; null: none.</summary>
    public string? DecoderPath { get; init; }

    /// <summary>Whether words alone score, of methods that can do without supports.</summary>
    public bool ZeroShot { get; init; }

    /// <summary>A method's options. What it does not have is left out.</summary>
    /// <param name="method">One of <see cref="InspectionMethods.Names"/>.</param>
    public MethodOptions For(string method) => InspectionMethods.Default(method) switch
    {
        KagOptions kag => kag with { Training = kag.Training with { Epochs = Epochs ?? kag.Training.Epochs } },
        AprilGanOptions aprilGan => aprilGan with
        {
            Training = aprilGan.Training with { Epochs = Epochs },
            HeadsPath = HeadsPath,
            ZeroShot = ZeroShot,
        },
        PromptAdOptions promptAd => promptAd with { Epochs = Epochs ?? promptAd.Epochs },
        AnomalyGptOptions anomalyGpt => anomalyGpt with
        {
            Branch = ZeroShot || DecoderPath is not null ? AnomalyGptBranch.ZeroShot : anomalyGpt.Branch,
            DecoderPath = DecoderPath,
        },
        WinClipOptions winClip => winClip with { ZeroShot = ZeroShot },
        var other => other,
    };
}
