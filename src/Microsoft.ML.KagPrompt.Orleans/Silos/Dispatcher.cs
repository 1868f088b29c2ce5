using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Orleans.Calling;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>Sends work to the best silo, and to the next where that one refuses or is gone.</summary>
internal sealed class Dispatcher(SiloBoard board, SiloWatch watch, SiloWorkers workers, PlantSiloOptions options, TimeProvider time)
{
    public async Task<Outcome> SendAsync(WorkOrder order)
    {
        var (tried, refusals, unreached) = (new HashSet<SiloAddress>(), new List<Outcome>(), 0);
        for (var hasLooked = false; ;)
        {
            if (board.TryTake(order.Product, order.ModelVersion, tried, out var silo))
            {
                tried.Add(silo);
                if (await AskAsync(silo, order) is not { } outcome)
                {
                    unreached++;
                }
                else if (outcome.Refusal is null)
                {
                    return outcome;
                }
                else
                {
                    refusals.Add(outcome);
                }
            }
            else if (tried.Count == 0 && !hasLooked)
            {
                // Models come and go between two looks.
                hasLooked = true;
                await watch.LookAsync();
            }
            else
            {
                return Nobody(order, refusals, unreached);
            }
        }
    }

    /// <summary>Null: the silo did not answer.</summary>
    private async Task<Outcome?> AskAsync(SiloAddress silo, WorkOrder order)
    {
        try
        {
            var (call, gone) = (workers.At(silo).InspectAsync(order), board.GoneAsync(silo));
            if (await Task.WhenAny(call, gone).WaitAsync(options.WorkTimeout, time) == gone)
            {
                call.Ignore();
                throw new SiloUnavailableException($"Silo {silo} is gone.");
            }

            var outcome = await call;
            board.Done(silo);
            if (outcome.Silo is { } status && !gone.IsCompleted)
            {
                board.Report(silo, status);
            }

            return outcome;
        }
        catch (Exception fault) when (fault is OrleansException or TimeoutException)
        {
            board.Done(silo);
            board.Suspect(silo, options.DeadAfter);
            return null;
        }
    }

    private Outcome Nobody(WorkOrder order, List<Outcome> refusals, int unreached)
    {
        if (unreached > 0 && refusals.Count == 0)
        {
            return Outcome.Failed(PlantFault.Unreachable,
                $"{unreached} silo(s) with {order.Product} did not answer. Ask again with the same id.");
        }

        if (refusals.Count > 0)
        {
            // A full queue empties; what else there is may not.
            var best = refusals.OrderBy(refusal => refusal.Refusal != (int)RefusalReason.QueueFull)
                .ThenBy(refusal => refusal.RetryAfter).First();
            return best with { RetryAfter = refusals.Min(refusal => refusal.RetryAfter) };
        }

        var statuses = board.Statuses();
        var isListed = statuses.Values.Any(silo => silo.Models.Any(model => model.Product == order.Product));
        return isListed || statuses.Count < watch.Active
            ? Outcome.Refused(RefusalReason.ModelUnavailable, $"No silo has a warm model of {order.Product}"
                + (order.ModelVersion is { } version ? $", version {version}." : "."), options.StatusInterval)
            : Outcome.Refused(RefusalReason.ProductUnknown, $"No silo serves a product '{order.Product}'. Give it to the hosting of one.");
    }
}
