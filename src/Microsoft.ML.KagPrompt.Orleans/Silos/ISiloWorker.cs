using Microsoft.ML.KagPrompt.Orleans.Calling;
using Orleans.Services;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>
/// The part of each silo that inspects. It is no grain: it is addressed by its silo, so that who calls it has decided where the work is
/// done.
/// </summary>
[Alias("kagprompt.silo-worker")]
internal interface ISiloWorker : IGrainService
{
    [Alias("inspect")]
    Task<Outcome> InspectAsync(WorkOrder order);

    [Alias("status")]
    Task<SiloStatus> GetStatusAsync();
}
