using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.PromptAd;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.NaiveScores;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PromptAd;

/// <summary>
/// From images to maps and scores, at sizes of no golden file, against loops in 64 bit: both streams of the tower, and the rest.
/// </summary>
public sealed class PromptAdNaiveTests : IDisposable
{
    private const int Grid = 4;
    private const int Side = 3 * Grid;
    // Two more than the second stream has.
    private const int Depth = 14;

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly torch.Generator random = new(51);
    private readonly NaiveTransformer naive = new(Depth, Grid, seed: 52);

    [Fact]
    public void Score_OfImages_EqualsLoops()
    {
        const double Sigma = 1.5;
        var (tower, directions) = (naive.Tower, torch.randn([4, naive.Tower.Info.JointWidth], generator: random).mul(2));
        using var method = (PromptAdMethod)new PromptAdOptions { MapSigma = (float)Sigma }.Create(new MethodStart(
            new MethodSizes(tower.Info, tower.Info, Side, MapUpsampling.CellCentres, torch.CPU) { Tower = tower }, "tiny", [], null, 0));
        method.BankBlocks.Should().Equal(3, 9);
        var (supports, queries) = (torch.randn([2, 3, Side, Side], generator: random), torch.randn([2, 3, Side, Side], generator: random));
        using var reference = method.BuildReference([.. Enumerable.Range(0, 2)
            .Select(i => method.Remember(tower.EncodeValuePath(supports.narrow(0, i, 1), method.BankBlocks)))], directions.clone());

        using var scored = method.Score(tower.EncodeValuePath(queries, method.BankBlocks), reference);

        var normal = Enumerable.Range(0, 2).Select(i => naive.AlongValues(naive.Placed(supports[i])).Inside).ToArray();
        var text = Rows(directions);
        double Textual(double[] token, int pair)
        {
            var unit = NaiveCells.Unit(naive.Joint(token));
            return Second(Dot(unit, text[pair]), Dot(unit, text[pair + 1]));
        }

        scored.ShouldScore([.. Enumerable.Range(0, 2).Select(i =>
        {
            var seen = naive.AlongValues(naive.Placed(queries[i]));
            double[] visual = [.. Enumerable.Range(1, Grid * Grid).Select(token => new[] { 3, 9 }.Average(block
                => Distance(seen.Inside[block][token], normal.SelectMany(support => support[block][1..])) / 2))];
            double[] fused = [.. visual.Select((value, patch) => Fused(value, Textual(seen.Values[1 + patch], 0)))];
            double[] ToImage(double[] cells) => Enlarged(cells, Grid, Grid, Side, corners: false);
            return (Blurred(ToImage(fused), Side, Sigma), Fused(ToImage(visual).Max(), Textual(seen.Ordinary[0], 2)));
        })], 1e-4);
    }

    public void Dispose()
    {
        naive.Dispose();
        random.Dispose();
        scope.Dispose();
    }

    private static double Fused(double a, double b) => 1 / ((1 / a) + (1 / b));
}
