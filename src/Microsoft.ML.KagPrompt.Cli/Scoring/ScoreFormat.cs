namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>How scores are written.</summary>
internal enum ScoreFormat
{
    /// <summary>Columns: drawn on a terminal, tab-separated where piped.</summary>
    Table,

    /// <summary>A JSON object a line, as soon as it is known.</summary>
    Jsonl,

    /// <summary>RFC 4180, with a header.</summary>
    Csv,
}
