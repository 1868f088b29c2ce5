using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Orleans.Calling;
using Microsoft.ML.KagPrompt.Orleans.Silos;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Microsoft.ML.KagPrompt.Orleans.Lines;

/// <summary>
/// A line: knows what it inspects, sends its pictures to silos, and counts. Its pictures do not wait for one another. It may move to
/// another silo at any time; what it must not forget is in its state and in the database of results.
/// </summary>
[Reentrant, ActivationCountBasedPlacement]
internal sealed partial class LineGrain([PersistentState("line", LineGrain.Storage)] IPersistentState<LineState> state,
    Dispatcher dispatcher, ResultKeeper keeper, LineCounter counter, PlantSiloOptions options, ILogger<LineGrain> log) : Grain, ILineGrain
{
    /// <summary>The storage provider.</summary>
    public const string Storage = "kagprompt";

    private readonly Dictionary<Guid, Task<Outcome>> underWay = [];
    private readonly RecentAnswers answers = new(options.RememberedAnswers);
    private bool isChanged;
    private Task saving = Task.CompletedTask;

    private string Name => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (state.State.Settings is not null)
        {
            await counter.CountAsync(Name, state.State);
        }

        this.RegisterGrainTimer(_ => isChanged ? SaveAsync() : Task.CompletedTask,
            new GrainTimerCreationOptions(options.SaveInterval, options.SaveInterval) { KeepAlive = false });
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (isChanged)
        {
            await SaveAsync();
        }
    }

    public async Task SetUpAsync(LineSettings settings)
    {
        settings.Validate();
        var isNew = state.State.Settings is null;
        state.State.Settings = settings;
        if (isNew)
        {
            // A name that was used before, and forgotten with its silo.
            await counter.CountAsync(Name, state.State);
        }

        await WriteAsync();
    }

    public async Task<Outcome> InspectAsync(PictureReference picture, Guid id, bool isAgain)
    {
        if (state.State.Settings is not { } settings)
        {
            return Outcome.Failed(PlantFault.LineUnknown, $"Line '{Name}' is not set up: SetUpLineAsync tells what it inspects.");
        }

        if (answers.Find(id) is { } known)
        {
            return Outcome.Answered(known, isRepeat: true);
        }

        if (!underWay.TryGetValue(id, out var work))
        {
            underWay.Add(id, work = WorkAsync(settings, picture, id, isAgain));
        }

        return await work;
    }

    public async Task<LineStatus> GetStatusAsync(bool recount)
    {
        if (recount && state.State.Settings is not null && await counter.CountAsync(Name, state.State))
        {
            isChanged = true;
        }

        var now = state.State;
        return new()
        {
            Line = Name, Settings = now.Settings, Answered = now.Total.Answered, Anomalous = now.Total.Anomalous,
            Foreign = now.Total.Foreign, Refused = now.Refused, Failed = now.Failed, LastModelVersion = now.LastModelVersion,
            Drift = now.Settings is { } settings ? DriftMeasure.Compute(settings.TeachingScores, now.Recent) : null, Silo = options.Name,
        };
    }

    private async Task<Outcome> WorkAsync(LineSettings settings, PictureReference picture, Guid id, bool isAgain)
    {
        // Entered into what is under way before it can leave it.
        await Task.Yield();
        try
        {
            var outcome = isAgain && await keeper.FindAsync(id, Name) is { } stored ? stored
                : await dispatcher.SendAsync(new()
                {
                    Id = id, Line = Name, Picture = picture, Product = settings.Product, ModelVersion = settings.ModelVersion,
                    Threshold = settings.Threshold,
                });
            Count(outcome);
            return outcome with { Silo = null };
        }
        finally
        {
            underWay.Remove(id);
        }
    }

    private void Count(Outcome outcome)
    {
        var kept = state.State;
        isChanged = true;
        if (outcome.Answer is not { } answer)
        {
            (kept.Refused, kept.Failed) = outcome.Refusal is not null ? (kept.Refused + 1, kept.Failed) : (kept.Refused, kept.Failed + 1);
        }
        else if (answers.Add(answer) && !outcome.IsRepeat)
        {
            kept.Total = kept.Total.Plus(1, answer.IsAnomalous ? 1 : 0, answer.IsForeign ? 1 : 0);
            kept.LastModelVersion = answer.ModelVersion;
            kept.Recent.Add(answer.Score);
            kept.Recent.RemoveRange(0, Math.Max(0, kept.Recent.Count - DriftMeasure.Kept));
        }
    }

    /// <summary>Figures; a storage that is away is tried again at the next time.</summary>
    private async Task SaveAsync()
    {
        try
        {
            isChanged = false;
            await WriteAsync();
        }
        catch (Exception fault)
        {
            isChanged = true;
            LogUnsaved(log, fault, Name);
        }
    }

    /// <summary>One writing at a time, as the storage asks; the state goes on changing meanwhile.</summary>
    private async Task WriteAsync()
    {
        while (!saving.IsCompleted)
        {
            await saving.ContinueWith(_ => { }, TaskScheduler.Current);
        }

        await (saving = state.WriteStateAsync());
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The figures of line {Line} were not kept.")]
    private static partial void LogUnsaved(ILogger log, Exception fault, string line);
}
