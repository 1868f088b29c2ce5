namespace Microsoft.ML.KagPrompt;

/// <summary>By what a decision threshold is placed.</summary>
public enum ThresholdChoice
{
    /// <summary>The largest F1 where there are labelled defects, else the target false-reject rate.</summary>
    Auto,

    /// <summary>The target false-reject rate, from normal images alone.</summary>
    FalseRejectRate,

    /// <summary>The largest F1 on normal images and defects: labelled ones, or, where there are none, synthetic ones.</summary>
    LargestF1,
}
