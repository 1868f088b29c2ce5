namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>What a verdict made of an image, in the order in which a report shows them.</summary>
public enum ReportOutcome
{
    /// <summary>Defective, and accepted.</summary>
    MissedDefect,

    /// <summary>Good, and rejected.</summary>
    FalseAlarm,

    /// <summary>Nothing is known of it.</summary>
    NotLabelled,

    /// <summary>Defective, and rejected.</summary>
    FoundDefect,

    /// <summary>Good, and accepted.</summary>
    AcceptedGood,

    /// <summary>It could not be scored.</summary>
    Unreadable,
}
