namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>A picture has no answer, and which reason that has.</summary>
public sealed class PlantException : KagPromptException
{
    /// <summary>Creates the error.</summary>
    /// <param name="fault">Which reason.</param>
    /// <param name="message">What, expected, got and remedy.</param>
    /// <param name="innerException">What it comes from.</param>
    public PlantException(PlantFault fault, string message, Exception? innerException = null) : base(message, innerException)
        => Fault = fault;

    /// <summary>Which reason.</summary>
    public PlantFault Fault { get; }
}
