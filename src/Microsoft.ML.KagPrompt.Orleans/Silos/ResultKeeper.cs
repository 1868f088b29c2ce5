using System.Data.Common;
using Microsoft.ML.KagPrompt.Orleans.Calling;
using Microsoft.ML.KagPrompt.Results;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>
/// Records a result, waits until the database that all silos share has it, and tells what the database has: of several silos that
/// inspected the same id, the first one's.
/// </summary>
internal sealed class ResultKeeper(ResultRecorder recorder, IResultStore store, PlantSiloOptions options, TimeProvider time)
{
    public async Task<Outcome> KeepAsync(InspectionRecord record, ReadOnlyMemory<byte> picture, ResultMap? map)
    {
        await recorder.RecordAsync(record, picture, map).ConfigureAwait(false);
        using var patience = new CancellationTokenSource(options.StoredWithin, time);
        try
        {
            await recorder.WhenStoredAsync(patience.Token).ConfigureAwait(false);
            if (await store.FindAsync(record.Id, patience.Token).ConfigureAwait(false) is { } stored)
            {
                return OutcomeOf(stored, record.Line!, isRepeat: stored.Station != record.Station
                    || Math.Abs((stored.Time - record.Time).Ticks) > TimeSpan.TicksPerMillisecond);
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException || IsOfTheDatabase(fault))
        {
            // The database is away: the journal has it.
        }

        return Outcome.Answered(AnswerOf(record, isStored: false), isRepeat: false);
    }

    /// <summary>What the database has of an id; null: nothing, or it is away.</summary>
    public async Task<Outcome?> FindAsync(Guid id, string line)
    {
        using var patience = new CancellationTokenSource(options.StoredWithin, time);
        try
        {
            return await store.FindAsync(id, patience.Token).ConfigureAwait(false) is { } stored
                ? OutcomeOf(stored, line, isRepeat: true) : null;
        }
        catch (Exception fault) when (fault is OperationCanceledException || IsOfTheDatabase(fault))
        {
            return null;
        }
    }

    /// <summary>Whether a database was not reached, or refused for now.</summary>
    public static bool IsOfTheDatabase(Exception fault)
        => fault is DbException or TimeoutException || (fault.InnerException is { } inner && IsOfTheDatabase(inner));

    private static Outcome OutcomeOf(StoredResult stored, string line, bool isRepeat) => stored.Line == line
        ? Outcome.Answered(AnswerOf(stored, isStored: true), isRepeat)
        : Outcome.Failed(PlantFault.IdTaken,
            $"The id {stored.Id} is an inspection of line '{stored.Line}'. Make a new one for each inspection.");

    private static PlantAnswer AnswerOf(InspectionRecord record, bool isStored) => new()
    {
        Id = record.Id, Line = record.Line ?? "", Product = record.Product, ModelVersion = record.ModelVersion, Score = record.Score,
        Threshold = record.Threshold, Probability = record.Probability, IsAnomalous = record.IsAnomalous, IsForeign = record.IsForeign,
        Reason = record.Reason, Silo = record.Station ?? "", Time = record.Time, IsStored = isStored,
    };
}
