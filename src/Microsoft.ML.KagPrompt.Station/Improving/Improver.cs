using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Pictures;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Teaching;

namespace Microsoft.ML.KagPrompt.Station.Improving;

/// <summary>Makes a better model of what people said, and shows what it would change before it is taken over.</summary>
internal sealed class Improver(IModelRegistry registry, IResultStore store, ResultPictures pictures, PhotoStore photographs,
    FactsStore facts, Teacher teacher,
    Publisher publisher, StationOptions options)
{
    /// <summary>So many parts are inspected again.</summary>
    public const int MostCompared = 1000;

    private const int MostJoining = 200;
    private readonly ConcurrentDictionary<string, Candidate> candidates = new();
    private readonly OneAtATime files = new();

    /// <summary>What may be taken over; null: nothing. Lost when the station ends; it is made again.</summary>
    public Candidate? Find(string product) => candidates.GetValueOrDefault(product);

    /// <summary>False alarms and misses that the served version does not know yet, the latest first.</summary>
    public async Task<IReadOnlyList<StoredResult>> SaidAsync(string product, CancellationToken stop = default)
    {
        var active = await ActiveAsync(product, stop);
        var known = facts.Find(product, active.Id);
        var hashes = (known?.Photographs ?? []).Concat(known?.Defects ?? []).Select(photo => photo.Hash).ToHashSet();
        var all = new List<StoredResult>();
        foreach (var kind in (FeedbackKind[])[FeedbackKind.FalseAlarm, FeedbackKind.Missed])
        {
            all.AddRange((await store.QueryAsync(new() { Product = product, Feedback = kind }, ResultOrder.Newest, MostJoining, null,
                stop)).Results);
        }

        return [.. all.Where(result => result.PictureHash is { } hash && !hashes.Contains(hash)).OrderByDescending(result => result.Time)
            .DistinctBy(result => result.PictureHash)];
    }

    /// <summary>
    /// Pictures of good parts join the photographs, those of missed defects place the threshold; fitted anew. Those that are gone since
    /// they were chosen are left out, and counted.
    /// </summary>
    /// <exception cref="InvalidOperationException">None is left, or the station did not teach the served version.</exception>
    public async Task LearnAsync(string product, IReadOnlyList<Guid> joining, string by, Action<string, int, int> tell,
        CancellationToken stop)
    {
        var active = await ActiveAsync(product, stop);
        var known = facts.Find(product, active.Id) ?? throw new InvalidOperationException(
            $"The station does not know the photographs of {active.Id}: it was published elsewhere. Move its threshold, or teach it here.");
        var (good, defects) = (new List<TeachingPhoto>(), new List<TeachingPhoto>());
        foreach (var result in (await SaidAsync(product, stop)).Where(result => joining.Contains(result.Id)))
        {
            if (await pictures.FindAsync(result, stop) is { } file)
            {
                (result.Feedback == FeedbackKind.FalseAlarm ? good : defects).Add(photographs.Add(file, $"{result.Id:N}.png"));
            }
        }

        if (good.Count + defects.Count == 0)
        {
            throw new InvalidOperationException(joining.Count == 0
                ? "No picture was chosen: expected false alarms, or parts that were missed."
                : "None of the chosen pictures is there any more: they were deleted or damaged, or what was said of them was taken back. "
                    + "Load the page again.");
        }

        var path = await PathOfAsync(product);
        var given = known with { Photographs = [.. known.Photographs, .. good], Defects = [.. known.Defects, .. defects] };
        var outcome = await teacher.FitAsync(product, given, path, tell, stop);
        await CompareAsync(product, active, path, outcome.Facts, $"{good.Count} false alarms and {defects.Count} missed parts learned",
            by, tell, stop, joining.Count - good.Count - defects.Count);
    }

    /// <summary>The same photographs, another threshold.</summary>
    public async Task MoveThresholdAsync(string product, float threshold, string by, Action<string, int, int> tell, CancellationToken stop)
    {
        if (!float.IsFinite(threshold))
        {
            throw new ArgumentException($"Threshold: expected a number, got {threshold}.");
        }

        var active = await ActiveAsync(product, stop);
        var path = await PathOfAsync(product);
        ModelFacts moved;
        using (var model = KagPromptModel.Load(await registry.FetchAsync(active, stop)))
        using (var other = model.WithThreshold(threshold, active.Notes.ClassName))
        {
            moved = ModelFacts.From(other.CalibrationOf(active.Notes.ClassName ?? other.ClassNames.Single()), []);
            Teacher.WholeModel(other, path);
        }

        var known = facts.Find(product, active.Id);
        moved = known is null ? moved : known with { Threshold = moved.Threshold, MapLow = moved.MapLow, MapHigh = moved.MapHigh,
            MapThreshold = moved.MapThreshold };
        await CompareAsync(product, active, path, moved, FormattableString.Invariant($"threshold {threshold:0.0000}"), by, tell, stop);
    }

    /// <summary>Publishes and activates what was shown.</summary>
    /// <exception cref="InvalidOperationException">There is none, or another version is served by now.</exception>
    public async Task<string> TakeOverAsync(string product, string by)
    {
        // Its file is not taken away by the next trial while it is published.
        using var taken = await files.TakeAsync();
        if (!candidates.TryRemove(product, out var candidate))
        {
            throw new InvalidOperationException("There is nothing to take over: somebody did, or the station was started again.");
        }

        var active = await ActiveAsync(product, default);
        if (active.Id != candidate.BaseVersion)
        {
            throw new InvalidOperationException($"Version {active.Id} is served by now; this was held against {candidate.BaseVersion}. "
                + "Compare again.");
        }

        return await publisher.PublishAsync(product, candidate.ModelPath, candidate.Facts, by, candidate.Comment);
    }

    public void Discard(string product) => candidates.TryRemove(product, out _);

    private async Task CompareAsync(string product, ModelVersion active, string path, ModelFacts known, string comment, string by,
        Action<string, int, int> tell, CancellationToken stop, int leftOut = 0)
    {
        var last = (await store.QueryAsync(new() { Product = product }, ResultOrder.Newest, MostCompared, null, stop)).Results;
        var (changes, compared, without) = (new List<ChangedVerdict>(), 0, 0);
        using (var model = KagPromptModel.Load(path))
        {
            foreach (var result in last)
            {
                stop.ThrowIfCancellationRequested();
                tell("inspecting the last parts again", compared + without, last.Count);
                if (await pictures.FindAsync(result, stop) is not { } file)
                {
                    without++;
                    continue;
                }

                Inspection verdict;
                try
                {
                    verdict = model.Inspect(ImageCodec.Read(file, "The picture"), active.Notes.ClassName);
                }
                catch (Exception fault) when (fault is ImageReadException or NotFiniteException)
                {
                    without++;
                    continue;
                }

                compared++;
                if (verdict.IsAnomalous != result.IsAnomalous)
                {
                    changes.Add(new(result, verdict.Score, verdict.IsAnomalous));
                }
            }
        }

        candidates[product] = new()
        {
            Product = product,
            BaseVersion = active.Id,
            Comment = comment,
            By = by,
            ModelPath = path,
            Facts = known,
            Compared = compared,
            NotCompared = without,
            LeftOut = leftOut,
            Changes = changes,
        };
    }

    private async Task<ModelVersion> ActiveAsync(string product, CancellationToken stop) => await registry.GetActiveAsync(product, stop)
        ?? throw new InvalidOperationException($"No version of '{product}' is served.");

    // The registry took the product's name by now. A file of its own each time: the one that is shown is not written over.
    private async Task<string> PathOfAsync(string product)
    {
        using var taken = await files.TakeAsync();
        var folder = options.PathTo("candidates", product);
        if (Directory.Exists(folder))
        {
            candidates.TryRemove(product, out _);
            Directory.Delete(folder, recursive: true);
        }

        return Path.Combine(folder, $"{Guid.NewGuid():N}.kag");
    }
}
