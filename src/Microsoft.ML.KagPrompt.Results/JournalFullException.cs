namespace Microsoft.ML.KagPrompt.Results;

/// <summary>
/// The journal has no room: the database has been away for long, or takes results more slowly than they come. The result was not recorded.
/// </summary>
public sealed class JournalFullException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public JournalFullException(string message) : base(message) { }
}
