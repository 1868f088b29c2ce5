using System.Globalization;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>
/// The paper's Table 1 on the user's data: each system as published, on a backbone that all share, and on one of its own.
/// </summary>
/// <param name="Rows">Data set by data set, shots by shots, in the paper's order.</param>
/// <param name="Impossible">Systems that the shared backbone does not allow, with the reason.</param>
/// <param name="Notes">What a reader must know of the data.</param>
internal sealed record PaperTable(
    IReadOnlyList<PaperRow> Rows, IReadOnlyList<RefusedMethod> Impossible, IReadOnlyList<string> Notes)
{
    /// <summary>Whether any system was computed on a backbone of its own.</summary>
    public bool HasNative => Rows.Any(row => row.Native is not null);

    /// <summary>Computes what an earlier run did not.</summary>
    /// <param name="settings">Of the shared backbone, for all seven systems.</param>
    /// <param name="native">Files of own backbones by method.</param>
    /// <param name="folder">Where cells are kept.</param>
    /// <param name="evaluate">Evaluates methods that see the same images.</param>
    /// <exception cref="ArgumentException">A file given does not serve its method.</exception>
    public static PaperTable Compute(
        EvaluationSettings settings, IReadOnlyDictionary<string, string> native, string folder,
        Func<IReadOnlyList<EvaluationSettings>, IReadOnlyList<FewShotResults>> evaluate)
    {
        settings = settings with
        {
            Methods = [.. PaperSystem.All.Select(system => system.Method)],
            // The others are trained as their authors do: epochs that were said are KAG-prompt's, and in its options already.
            Choices = new(),
            Protocol = settings.Protocol with { CellFolder = Path.Combine(folder, "cells") },
        };
        var all = settings.PerMethod().ToDictionary(own => InspectionMethods.NameOf(own.Options.Method));
        // What cannot begin must come to light before the hours of the others.
        var impossible = all.Select(entry => (entry.Key, Reason: ReasonAgainst(entry.Value)))
            .Where(entry => entry.Reason is not null).ToDictionary(entry => entry.Key, entry => entry.Reason!);
        var natives = native.ToDictionary(entry => entry.Key, entry => Native(all[entry.Key], entry.Value, folder));
        foreach (var own in natives.Values)
        {
            KagPromptTrainer.Check(own.Options);
        }

        var shared = Evaluated(all.Where(entry => !impossible.ContainsKey(entry.Key)));
        // Systems with the same file share what it makes of an image, too.
        var ownBackbone = natives.GroupBy(entry => entry.Value.Options.Backbone.Name).SelectMany(Evaluated).ToDictionary();
        return new(
            Rowed(shared, ownBackbone),
            [.. PaperSystem.All.Where(system => impossible.ContainsKey(system.Method))
                .Select(system => new RefusedMethod(system.Method, impossible[system.Method]))],
            [.. shared.Values.Concat(ownBackbone.Values).SelectMany(results => results.Warnings)
                .Concat(NotesOn([.. shared.Values.Concat(ownBackbone.Values).SelectMany(results => results.Cells)])).Distinct()]);

        Dictionary<string, FewShotResults> Evaluated(IEnumerable<KeyValuePair<string, EvaluationSettings>> systems)
        {
            var those = systems.ToArray();
            return those.Length == 0 ? [] : those.Zip(evaluate([.. those.Select(system => system.Value)]))
                .ToDictionary(pair => pair.First.Key, pair => pair.Second);
        }
    }

    /// <summary>"97.25 ± 0.31" in percent; a dash where there is none.</summary>
    public static string Text(FewShotFigure? figure) => figure?.Mean is not { } mean ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{100 * mean:0.00}") + (figure.Value.Deviation is { } deviation
            ? string.Create(CultureInfo.InvariantCulture, $" ± {100 * deviation:0.00}")
            : "");

    private static string? ReasonAgainst(EvaluationSettings own)
    {
        try
        {
            KagPromptTrainer.Check(own.Options);
            return null;
        }
        catch (ArgumentException fault)
        {
            return fault.Message;
        }
    }

    /// <summary>
    /// The same on another backbone, with that one's own size of images. Its cells would have the shared backbone's names: they lie apart.
    /// </summary>
    private static EvaluationSettings Native(EvaluationSettings own, string file, string folder) => own with
    {
        Protocol = own.Protocol with { CellFolder = Path.Combine(folder, "cells-native") },
        Options = own.Options with
        {
            Backbone = new() { Name = file, Precision = own.Options.Backbone.Precision },
            Images = own.Options.Images with { Size = null },
        },
    };

    private static IReadOnlyList<PaperRow> Rowed(
        Dictionary<string, FewShotResults> shared, Dictionary<string, FewShotResults> native)
    {
        var summaries = shared.ToDictionary(entry => entry.Key, entry => FewShotSummary.PerDataset(entry.Value.Cells));
        var own = native.ToDictionary(entry => entry.Key, entry => FewShotSummary.PerDataset(entry.Value.Cells));
        var places = summaries.Values.Concat(own.Values).SelectMany(rows => rows)
            .Where(row => row.Dataset != FewShotSummary.AllSets).Select(row => (row.Dataset, row.Shots)).Distinct();
        return [.. places.SelectMany(place => PaperSystem.All.Select(system => new PaperRow(
            place.Dataset,
            place.Shots,
            system,
            PublishedFigures.Find(place.Dataset, place.Shots, system),
            At(summaries, system, place),
            At(own, system, place))))];

        static FewShotSummary? At(
            Dictionary<string, IReadOnlyList<FewShotSummary>> of, PaperSystem system, (string Dataset, int Shots) place)
            => of.GetValueOrDefault(system.Method)?.FirstOrDefault(row => (row.Dataset, row.Shots) == place);
    }

    private static IEnumerable<string> NotesOn(IReadOnlyList<FewShotCell> cells) => cells.GroupBy(cell => cell.Dataset)
        .Select(dataset => PublishedFigures.NoteOn(dataset.Key, dataset.Select(cell => cell.Class).Distinct().Count())).OfType<string>();
}

/// <summary>A system's figures on a data set at a number of shots; null is what there is not.</summary>
internal sealed record PaperRow(
    string Dataset, int Shots, PaperSystem System, PublishedFigure? Published, FewShotSummary? Shared, FewShotSummary? Native);
