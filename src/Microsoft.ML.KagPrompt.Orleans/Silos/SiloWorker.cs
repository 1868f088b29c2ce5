using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Orleans.Calling;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>Takes work from lines of every silo. Calls do not wait for one another: the hosting's queue is what bounds them.</summary>
internal sealed class SiloWorker(GrainId id, global::Orleans.Runtime.Silo silo, ILoggerFactory logs, Workplace workplace)
    : GrainService(id, silo, logs), ISiloWorker
{
    // The work is not done on the silo's own turns: those are for messages.
    public Task<Outcome> InspectAsync(WorkOrder order) => Task.Run(() => workplace.InspectAsync(order));

    public Task<SiloStatus> GetStatusAsync() => Task.FromResult(workplace.Status());
}
