using Microsoft.ML.KagPrompt.Methods.Kag;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

public class LossesTests
{
    [Theory]
    [InlineData(1, 3, 2, 7)]
    [InlineData(2, 4, 5, 4)]
    public void Paper_RandomMaps_EqualsPlainLoops(int seed, int layers, int batch, int side)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var maps = rand([layers, batch, side, side], dtype: ScalarType.Float64, generator: generator);
        var masks = rand([batch, side, side], dtype: ScalarType.Float64, generator: generator).gt(0.7).to_type(ScalarType.Float64);
        var cosines = rand([batch, 2], dtype: ScalarType.Float64, generator: generator) * 0.05;
        var labels = tensor(Enumerable.Range(0, batch).Select(i => (long)(i % 2)).ToArray());
        var loss = Losses.Paper(cosines, maps, masks, labels, focalWeight: 0.5f, diceWeight: 2);

        var (p, g, c) = (maps.data<double>().ToArray(), masks.data<double>().ToArray(), cosines.data<double>().ToArray());
        var pixels = side * side;
        var (focal, dice) = (0.0, 0.0);
        for (var i = 0; i < layers; i++)
        {
            var (direct, complement) = (0.0, 0.0);
            for (var b = 0; b < batch; b++)
            {
                var m = p.AsSpan(((i * batch) + b) * pixels, pixels).ToArray();
                var mask = g.AsSpan(b * pixels, pixels).ToArray();
                focal += m.Zip(mask, FocalAt).Sum() / (batch * pixels);
                direct += DiceRatio(m, mask) / batch;
                complement += DiceRatio([.. m.Select(v => 1 - v)], [.. mask.Select(v => 1 - v)]) / batch;
            }

            dice += 1 - direct + (1 - complement);
        }

        var crossEntropy = Enumerable.Range(0, batch).Average(b =>
            -Math.Log(Math.Exp(100 * c[(2 * b) + (b % 2)]) / (Math.Exp(100 * c[2 * b]) + Math.Exp(100 * c[(2 * b) + 1]))));
        loss.CrossEntropy.item<double>().Should().BeApproximately(crossEntropy, 1e-6);
        loss.Focal.item<double>().Should().BeApproximately(focal, 1e-6);
        loss.Dice.item<double>().Should().BeApproximately(dice, 1e-6);
        loss.Total.item<double>().Should().BeApproximately(crossEntropy + (0.5 * focal) + (2 * dice), 1e-6);
    }

    private static double FocalAt(double p, double g)
    {
        var (normal, abnormal) = (Math.Clamp(1 - g, 1e-5, 1 - 1e-5), Math.Clamp(g, 1e-5, 1 - 1e-5));
        var pt = (normal * (1 - p)) + (abnormal * p) + 1e-5;
        return -Math.Pow(1 - pt, 2) * Math.Log(pt);
    }

    private static double DiceRatio(double[] p, double[] g) => ((2 * p.Zip(g, (a, b) => a * b).Sum()) + 1) / (p.Sum() + g.Sum() + 1);
}
