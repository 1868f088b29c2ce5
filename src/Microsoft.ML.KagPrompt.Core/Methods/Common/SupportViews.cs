namespace Microsoft.ML.KagPrompt;

/// <summary>As which pictures a support image enters the memory bank.</summary>
public enum SupportViews
{
    /// <summary>As it is.</summary>
    AsGiven,

    /// <summary>As it is, and turned by 90°, 180° and 270°.</summary>
    Turned,

    /// <summary>As it is, turned, and mirrored and turned: eight pictures. The default.</summary>
    TurnedAndMirrored,
}
