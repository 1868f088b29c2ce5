namespace Microsoft.ML.KagPrompt.Results;

/// <summary>What was kept cannot be used: a database of a newer version, a journal that is not ours or in use, a damaged picture.</summary>
public sealed class ResultStoreException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public ResultStoreException(string message) : base(message) { }

    /// <inheritdoc cref="KagPromptException(string, Exception)"/>
    public ResultStoreException(string message, Exception? innerException) : base(message, innerException) { }
}
