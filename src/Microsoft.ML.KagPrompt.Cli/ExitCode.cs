namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>What the tool's exit codes mean.</summary>
internal static class ExitCode
{
    /// <summary>Everything asked for was done.</summary>
    public const int Success = 0;

    /// <summary>Anomalies were found; only where asked for (--fail-on-anomaly).</summary>
    public const int AnomaliesFound = 1;

    /// <summary>An exported file scores otherwise than its model (export, verify-export).</summary>
    public const int Differs = 1;

    /// <summary>The command line is wrong: nothing was begun.</summary>
    public const int Usage = 2;

    /// <summary>
    /// Files, images, models, places to write or devices are not as they must be; also where single images got no verdict.
    /// </summary>
    public const int BadInput = 3;

    /// <summary>A fault of the tool itself; --debug shows where.</summary>
    public const int Unexpected = 4;

    /// <summary>Stopped by Ctrl-C or a request to terminate; what shells give for Ctrl-C.</summary>
    public const int Cancelled = 130;
}
