namespace Microsoft.ML.KagPrompt.Cli.Reports;

/// <summary>Which images of a data set a report is about.</summary>
internal enum ReportSplit
{
    /// <summary>Those meant for scoring.</summary>
    Test,

    /// <summary>All, also those the model may have been fitted on.</summary>
    All,
}
