using Microsoft.ML.KagPrompt.Orleans.Calling;

namespace Microsoft.ML.KagPrompt.Orleans.Lines;

/// <summary>A line; its key is the line's name.</summary>
[Alias("kagprompt.line")]
internal interface ILineGrain : IGrainWithStringKey
{
    [Alias("set-up")]
    Task SetUpAsync(LineSettings settings);

    /// <param name="picture">Which picture.</param>
    /// <param name="id">Which inspection.</param>
    /// <param name="isAgain">Whether it was asked before, so that there may be an answer.</param>
    [Alias("inspect")]
    Task<Outcome> InspectAsync(PictureReference picture, Guid id, bool isAgain);

    [Alias("status")]
    Task<LineStatus> GetStatusAsync(bool recount);
}
