using Microsoft.ML.KagPrompt.Station.Storage;

namespace Microsoft.ML.KagPrompt.Station.Teaching;

/// <summary>A product that is being taught.</summary>
internal sealed record Draft
{
    public const int MostPhotographs = 100;

    public required Guid Id { get; init; }

    public required string Product { get; init; }

    public required string By { get; init; }

    public required DateTimeOffset At { get; init; }

    public IReadOnlyList<TeachingPhoto> Photographs { get; init; } = [];

    /// <summary>See <see cref="ModelFacts.Inspect"/>.</summary>
    public IReadOnlyList<IReadOnlyList<double[]>> Inspect { get; init; } = [];

    /// <summary>Null: not fitted since the last change.</summary>
    public FitOutcome? Outcome { get; init; }

    /// <summary>The version that it became; null: not published.</summary>
    public string? Published { get; init; }

    /// <summary>Whether a fit of the other one is a fit of this one.</summary>
    public bool IsOf(Draft other) => Product == other.Product && Photographs.SequenceEqual(other.Photographs)
        && Inspect.Count == other.Inspect.Count
        && Inspect.Zip(other.Inspect).All(pair => pair.First.Count == pair.Second.Count
            && pair.First.Zip(pair.Second).All(points => points.First.SequenceEqual(points.Second)));
}

/// <summary>A defect drawn into a photograph that the model passed.</summary>
internal sealed record MissedDefect(string Picture, string Origin, float Score);

/// <summary>What a fit says of itself.</summary>
internal sealed record FitOutcome
{
    public required float Threshold { get; init; }

    public required double FalseRejects { get; init; }

    public required double FalseRejectsLow { get; init; }

    public required double FalseRejectsHigh { get; init; }

    /// <summary>Share of the calibration's synthetic defects; NaN: none could be drawn.</summary>
    public required double SyntheticFound { get; init; }

    public required string Explanation { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Defects drawn anew to show what is missed.</summary>
    public int Drawn { get; init; }

    public IReadOnlyList<MissedDefect> Missed { get; init; } = [];

    public required ModelFacts Facts { get; init; }
}

/// <summary>Drafts, a folder each.</summary>
internal sealed class DraftStore(StationOptions options)
{
    private readonly Lock gate = new();

    public IReadOnlyList<Draft> List() => Directory.Exists(options.PathTo("drafts"))
        ? [.. Directory.GetDirectories(options.PathTo("drafts")).Select(folder => JsonFiles.Read<Draft>(Path.Combine(folder, "draft.json")))
            .OfType<Draft>().OrderByDescending(draft => draft.At)]
        : [];

    public Draft? Find(Guid id) => JsonFiles.Read<Draft>(PathOf(id, "draft.json"));

    public void Add(Draft draft) => JsonFiles.Write(PathOf(draft.Id, "draft.json"), draft);

    /// <summary>Changes a draft as it is now, whoever changed it meanwhile.</summary>
    /// <exception cref="InvalidOperationException">It is not there any more.</exception>
    public Draft Change(Guid id, Func<Draft, Draft> change)
    {
        lock (gate)
        {
            var changed = change(Find(id) ?? throw new InvalidOperationException("The draft is not there any more."));
            JsonFiles.Write(PathOf(id, "draft.json"), changed);
            return changed;
        }
    }

    public void Delete(Guid id)
    {
        lock (gate)
        {
            // First what makes it one: what is left of a broken-off deletion is no draft.
            File.Delete(PathOf(id, "draft.json"));
            if (Directory.Exists(options.PathTo("drafts", id.ToString("N"))))
            {
                Directory.Delete(options.PathTo("drafts", id.ToString("N")), recursive: true);
            }
        }
    }

    /// <summary>The fitted model's file.</summary>
    public string ModelPath(Guid id) => PathOf(id, "model.kag");

    private string PathOf(Guid id, string name) => options.PathTo("drafts", id.ToString("N"), name);
}
