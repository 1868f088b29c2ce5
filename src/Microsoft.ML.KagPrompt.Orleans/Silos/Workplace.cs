using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Orleans.Calling;
using Microsoft.ML.KagPrompt.Results;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>A picture's way on the silo that inspects it: read, inspected, recorded, and told as it is kept.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed partial class Workplace(IInspector inspector, IModelHost models, IPictureStore pictures, ResultKeeper keeper,
    PlantSiloOptions options, TimeProvider time, ILogger<Workplace> log)
{
    private int underWay;
    private long inspected, refused;

    public SiloStatus Status() => new()
    {
        Silo = options.Name,
        Models = models.Products.Select(product => new WarmModel(product.Name, product.Version)).ToArray(),
        UnderWay = Volatile.Read(ref underWay),
        Inspected = Volatile.Read(ref inspected),
        Refused = Volatile.Read(ref refused),
    };

    public async Task<Outcome> InspectAsync(WorkOrder order)
    {
        Interlocked.Increment(ref underWay);
        Outcome outcome;
        try
        {
            outcome = await WorkAsync(order).ConfigureAwait(false);
        }
        catch (InspectionRefusedException refusal)
        {
            Interlocked.Increment(ref refused);
            outcome = Outcome.Refused(refusal.Reason, refusal.Message, refusal.RetryAfter);
        }
        catch (ImageReadException fault)
        {
            outcome = Outcome.Failed(PlantFault.PictureUnreadable, fault.Message);
        }
        catch (NotFiniteException fault)
        {
            outcome = Outcome.Failed(PlantFault.NoVerdict, fault.Message);
        }
        catch (JournalFullException fault)
        {
            outcome = Outcome.Failed(PlantFault.NotRecorded, fault.Message);
        }
        catch (Exception fault)
        {
            // Of any kind: the line is told, and the log has the rest.
            LogFailed(log, fault, order.Id);
            outcome = Outcome.Failed(PlantFault.SiloFailed, $"Silo {options.Name} failed: {fault.GetType().Name}.");
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }

        return outcome with { Silo = Status() };
    }

    private async Task<Outcome> WorkAsync(WorkOrder order)
    {
        var since = time.GetTimestamp();
        if (await pictures.ReadAsync(order.Picture).ConfigureAwait(false) is not { } picture)
        {
            return Outcome.Failed(PlantFault.PictureMissing,
                $"Silo {options.Name} has no picture {order.Picture.Sha256} in its store. Put it down first, into the store of the silos.");
        }

        var verdict = await inspector.InspectAsync(picture, order.Product).ConfigureAwait(false);
        if (order.ModelVersion is { } version && verdict.ModelVersion != version)
        {
            // Swapped since the line looked.
            throw new InspectionRefusedException(RefusalReason.ModelUnavailable,
                $"Silo {options.Name} has version {verdict.ModelVersion} of {order.Product}; the line asks for {version}.");
        }

        Interlocked.Increment(ref inspected);
        var record = new InspectionRecord(ByThreshold(verdict, order.Threshold), order.Id, order.Product, verdict.ModelVersion ?? "unknown",
            time.GetUtcNow())
        {
            CycleTime = time.GetElapsedTime(since),
            Line = order.Line,
            Station = options.Name,
        };
        return options.KeepPictures
            ? await keeper.KeepAsync(record, picture, ResultMap.From(verdict)).ConfigureAwait(false)
            : await keeper.KeepAsync(record, default, null).ConfigureAwait(false);
    }

    /// <summary>The line's threshold instead of the model's; the model's probability is of its own.</summary>
    private static Inspection ByThreshold(Inspection verdict, float? threshold) => threshold is { } own
        ? verdict with { Threshold = own, IsAnomalous = verdict.IsForeign || !(verdict.Score <= own), Probability = float.NaN }
        : verdict;

    [LoggerMessage(Level = LogLevel.Error, Message = "A picture was not inspected: {Id}.")]
    private static partial void LogFailed(ILogger log, Exception fault, Guid id);
}
