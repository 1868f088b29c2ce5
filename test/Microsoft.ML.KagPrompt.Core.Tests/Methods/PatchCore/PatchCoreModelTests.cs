using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.PatchCore;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PatchCore;

/// <summary>PatchCore with a thinned bank as users reach it.</summary>
public sealed class PatchCoreModelTests : IDisposable
{
    private const int Seed = 4;

    private readonly DisposeScope scope = torch.NewDisposeScope();

    [Theory]
    [InlineData(CoresetKind.Greedy, null)]
    [InlineData(CoresetKind.ApproximateGreedy, null)]
    [InlineData(CoresetKind.ApproximateGreedy, 8)]
    public void Fit_WithACoreset_KeepsItsRowsAloneAndSurvivesTheZip(CoresetKind kind, int? projection)
    {
        var method = new PatchCoreOptions { StageWidth = 24, EmbeddingWidth = 24, CoresetShare = 0.05f, CoresetSeed = Seed };
        using var whole = KagPromptTrainer.Fit(MethodCase.Parts(3), Options(method));
        using var thinned = KagPromptTrainer.Fit(MethodCase.Parts(3),
            Options(method with { Coreset = kind, ProjectionWidth = projection }));

        var (all, kept) = (Bank(whole), Bank(thinned));
        kept.Should().HaveCount((int)(0.05f * all.Length));
        if (projection is null)
        {
            var starts = Coreset.DrawStarts(all.Length, 10, Seed).Select(start => (int)start).ToArray();
            kept.Zip(Chosen(all, kept.Length, kind == CoresetKind.Greedy ? null : starts)).Should()
                .OnlyContain(pair => pair.First.SequenceEqual(all[pair.Second]), "each step takes the farthest row");
        }
        else
        {
            kept.Should().OnlyContain(row => all.Any(row.SequenceEqual), "rows are chosen by their projection and kept as they were");
        }

        using var again = MethodCase.SavedAndLoaded(thinned);
        again.ShouldInspectAlike(thinned);
        ((PatchCoreOptions)again.Options.Method).Coreset.Should().Be(kind);
        thinned.Inspect(MethodCase.Query(44)).Score.Should().BeGreaterThan(thinned.Inspect(MethodCase.Query()).Score)
            .And.BeGreaterThanOrEqualTo(whole.Inspect(MethodCase.Query(44)).Score, "fewer rows are no nearer");
    }

    public void Dispose() => scope.Dispose();

    private static InspectionOptions Options(PatchCoreOptions method) => new()
    {
        Method = method, Backbone = new() { Name = "resnet18" }, Images = new() { Size = MethodCase.Side }, Device = "cpu", Seed = 3,
    };

    private static float[][] Bank(KagPromptModel model)
    {
        var bank = ((PatchCoreReference)model.Classes["object"].Reference.Value).Bank;
        return [.. bank.data<float>().ToArray().Chunk((int)bank.shape[1])];
    }

    /// <summary>The farthest row again and again: at first from all, or from the rows that are drawn.</summary>
    private static List<int> Chosen(float[][] rows, int count, int[]? starts)
    {
        double Squared(int a, int b) => rows[a].Zip(rows[b], (x, y) => ((double)x - y) * ((double)x - y)).Sum();
        var far = Enumerable.Range(0, rows.Length).Select(i => starts is null
            ? Math.Sqrt(Enumerable.Range(0, rows.Length).Sum(j => Squared(i, j)))
            : starts.Average(start => Math.Sqrt(Squared(i, start)))).ToArray();
        var chosen = new List<int>();
        while (chosen.Count < count)
        {
            var next = Array.IndexOf(far, far.Max());
            chosen.Add(next);
            far = [.. far.Select((value, i) => Math.Min(value, Math.Sqrt(Squared(i, next))))];
        }

        return chosen;
    }
}
