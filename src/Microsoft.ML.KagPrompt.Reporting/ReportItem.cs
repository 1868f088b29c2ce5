using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>One image in a report.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ReportItem
{
    /// <summary>What to call it, such as "scratch/007.png".</summary>
    public required string Name { get; init; }

    /// <summary>The class whose threshold it was held against.</summary>
    public required string ClassName { get; init; }

    /// <summary>"good", the kind of defect, or empty where it is not known.</summary>
    public string DefectType { get; init; } = "";

    /// <summary>Whether it truly shows a defect; null: not known.</summary>
    public bool? IsAnomalous { get; init; }

    /// <summary>Its score, higher is more anomalous; NaN with a fault.</summary>
    public required float Score { get; init; }

    /// <summary>
    /// The model's verdict, <see cref="Inspection.IsAnomalous"/>: a report decides nothing itself. True for a foreign image, too.
    /// </summary>
    public required bool IsRejected { get => field || IsForeign; init; }

    /// <summary>
    /// Whether it is unlike every support image (<see cref="Inspection.IsForeign"/>): it is then rejected whatever its score.
    /// </summary>
    public bool IsForeign { get; init; }

    /// <summary>Of its class.</summary>
    public required ThresholdCalibration Calibration { get; init; }

    /// <summary>Why it could not be scored; null: it was.</summary>
    public string? Fault { get; init; }

    /// <summary>What to show of it; null: it is listed by name alone.</summary>
    public ReportPicture? Picture { get; init; }

    /// <summary>What became of it.</summary>
    public ReportOutcome Outcome => Fault is not null ? ReportOutcome.Unreadable
        : (IsAnomalous, IsRejected) switch
        {
            (true, false) => ReportOutcome.MissedDefect,
            (false, true) => ReportOutcome.FalseAlarm,
            (true, true) => ReportOutcome.FoundDefect,
            (false, false) => ReportOutcome.AcceptedGood,
            (null, _) => ReportOutcome.NotLabelled,
        };

    /// <summary>
    /// Distance of the score from the threshold, in <see cref="ThresholdCalibration.Scale"/>s where there is one:
    /// comparable between classes.
    /// </summary>
    internal float Margin => (Score - Calibration.Threshold) / (Calibration.Scale > 0 ? Calibration.Scale : 1);
}
