namespace Microsoft.ML.KagPrompt;

/// <summary>Where an evaluation stands; told on its thread, at every training, cell and warning.</summary>
/// <param name="Message">What happens or was found, in words, for a line of a log.</param>
/// <param name="Done">Cells that are there, those of ablations and of earlier runs included.</param>
/// <param name="Total">Cells in all.</param>
public sealed record FewShotProgress(string Message, int Done, int Total)
{
    /// <summary>The cell that is told, of the run's own configuration; null: it is another message.</summary>
    public FewShotCell? Cell { get; init; }
}
