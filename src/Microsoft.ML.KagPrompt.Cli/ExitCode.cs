namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>What the tool's exit codes mean.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    /// <summary>Only where asked for.</summary>
    public const int AnomaliesFound = 1;

    public const int Usage = 2;
    public const int BadInput = 3;

    /// <summary>What shells give for Ctrl-C.</summary>
    public const int Cancelled = 130;
}
