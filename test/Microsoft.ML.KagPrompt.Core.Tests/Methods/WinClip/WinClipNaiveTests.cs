using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.WinClip;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.NaiveScores;

namespace Microsoft.ML.KagPrompt.Tests.Methods.WinClip;

/// <summary>
/// From images to maps and scores, at sizes of no golden file, against loops in 64 bit: the tower, its windows, and the rest.
/// </summary>
public sealed class WinClipNaiveTests : IDisposable
{
    private const int Grid = 5;
    private const int Side = 3 * Grid;

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly torch.Generator random = new(41);
    private readonly NaiveTransformer naive = new(depth: 2, Grid, seed: 42);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Score_OfImages_EqualsLoops(bool zeroShot)
    {
        var (tower, text) = (naive.Tower, torch.randn([2, naive.Tower.Info.JointWidth], generator: random));
        using var method = new WinClipMethod(new WinClipOptions { ZeroShot = zeroShot },
            new MethodSizes(tower.Info, tower.Info, Side, MapUpsampling.CellCentres, torch.CPU) { Tower = tower });
        torch.Tensor[] windows = [.. WindowGrid.Scales.Select(scale => torch.tensor(new WindowGrid(Grid, scale).PatchIndices()))];
        var (supports, queries) = (torch.randn([3, 3, Side, Side], generator: random), torch.randn([2, 3, Side, Side], generator: random));
        using var reference = method.BuildReference([.. Enumerable.Range(0, 3)
            .Select(i => method.Remember(tower.EncodeWindows(supports.narrow(0, i, 1), windows)))], text.clone());

        using var scored = method.Score(tower.EncodeWindows(queries, windows), reference);

        var normal = Enumerable.Range(0, 3).Select(i => See(supports[i])).ToArray();
        scored.ShouldScore([.. Enumerable.Range(0, 2).Select(i => Expected(See(queries[i]), normal, Rows(text), zeroShot))], 1e-4);
    }

    public void Dispose()
    {
        naive.Dispose();
        random.Dispose();
        scope.Dispose();
    }

    private static (double[] Map, double Score) Expected(Seen seen, Seen[] normal, double[][] text, bool zeroShot)
    {
        double Odd(double[] embedding) => Second(NaiveCells.Cosine(NaiveCells.Unit(embedding), NaiveCells.Unit(text[0])) / 0.07,
            NaiveCells.Cosine(NaiveCells.Unit(embedding), NaiveCells.Unit(text[1])) / 0.07);
        double[] ToImage(double[] cells) => Enlarged(cells, Grid, Grid, Side, corners: false);
        var (image, two, three) = (Odd(seen.Image), Spread(2, [.. seen.OfTwo.Select(Odd)]), Spread(3, [.. seen.OfThree.Select(Odd)]));
        double[] words = [.. two.Zip(three, (a, b) => 3 / ((1 / image) + (1 / a) + (1 / b)))];
        if (zeroShot)
        {
            return (ToImage(words), image);
        }

        double[] Unlike(double[][] own, Func<Seen, double[][]> kind)
            => [.. own.Select(feature => Distance(feature, normal.SelectMany(kind)) / 2)];
        double[][] visual = [Unlike(seen.Patches, one => one.Patches), Spread(2, Unlike(seen.OfTwo, one => one.OfTwo)),
            Spread(3, Unlike(seen.OfThree, one => one.OfThree))];
        double[] mean = [.. Sum(visual).Select(sum => sum / 3)];
        return (ToImage([.. words.Zip(mean, (a, b) => (a + b) / 2)]), (image + mean.Max()) / 2);
    }

    /// <summary>Each patch's harmonic mean over the windows that hold it.</summary>
    private static double[] Spread(int scale, double[] scores)
    {
        var steps = Grid - scale + 1;
        return [.. Enumerable.Range(0, Grid * Grid).Select(patch =>
        {
            bool Holds(int first, int place) => place >= first && place < first + scale;
            var holding = Enumerable.Range(0, steps * steps)
                .Where(window => Holds(window / steps, patch / Grid) && Holds(window % steps, patch % Grid)).ToArray();
            return holding.Length / holding.Sum(window => 1 / scores[window]);
        })];
    }

    private Seen See(torch.Tensor image)
    {
        var placed = naive.Placed(image);
        var whole = naive.Through(placed);
        double[][] Windows(int scale)
        {
            var steps = Grid - scale + 1;
            return [.. Enumerable.Range(0, steps * steps).Select(window => naive.Joint(naive.Through([placed[0],
                .. from row in Enumerable.Range(window / steps, scale)
                from column in Enumerable.Range(window % steps, scale)
                select placed[1 + (row * Grid) + column]])[0]))];
        }

        return new(naive.Joint(whole[0]), naive.LastNorm(whole[1..]), Windows(2), Windows(3));
    }

    private sealed record Seen(double[] Image, double[][] Patches, double[][] OfTwo, double[][] OfThree);
}
