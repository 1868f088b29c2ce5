using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>
/// Shapes what the taps give by statistics of rendered sound surfaces, and folds it into their weights: each principal direction is multiplied by a power of its variance, a negative power being whitening; the mean is
/// multiplied by a number of the tap's own, which lengthens what all features share and so gives the tap less say in the mean of the taps' cosine distances; and a constant may stand along the weakest direction.
/// </summary>
/// <param name="power">Of the standard deviation: −1 whitens, 0 leaves the directions as they are, 1 stresses those that vary most.</param>
/// <param name="means">What each tap's mean is multiplied by: 0 takes it away, 1 leaves it.</param>
/// <param name="floors">Each tap's constant, as a share of its features' root mean square length.</param>
internal sealed class TapShaping(double power, IReadOnlyList<double> means, IReadOnlyList<double> floors, int seed)
{
    private const int Pictures = 100;

    /// <summary>Reads a finished backbone and writes one that differs in its taps alone.</summary>
    public void Run(string input, string output, Action<string> report)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var files = new ShippedFiles(input);
        using var tower = files.Vision();
        var replaced = new Dictionary<string, Tensor>();
        var tokens = Tokens(tower);
        for (var stage = 0; stage < tokens.Count; stage++)
        {
            var (matrix, shift) = Shape(tokens[stage], means[stage], floors[stage]);
            var (weight, bias) = (tower.Weights[$"taps.{stage}.weight"], tower.Weights[$"taps.{stage}.bias"]);
            replaced[$"vision.taps.{stage}.weight"] = matrix.matmul(weight);
            replaced[$"vision.taps.{stage}.bias"] = matrix.matmul(bias).Plus(shift);
        }

        files.WriteChanged(output, replaced);
        report($"taps shaped by {Pictures} pictures");
    }

    /// <summary>y = matrix · x + shift, of features [N, C]; y has mean square 1 a channel before the constant.</summary>
    internal (Tensor Matrix, Tensor Shift) Shape(Tensor features, double kept, double floor)
    {
        var mean = features.mean([0]);
        var centred = features.Minus(mean);
        var covariance = centred.t().matmul(centred).Times(1.0 / features.shape[0]).to_type(ScalarType.Float64);
        var (values, vectors) = linalg.eigh(covariance);                                   // ascending
        var gains = values.AtLeast(1e-6 * values[-1].to_type(ScalarType.Float32).Value()).sqrt();
        using var exponent = power.ToScalar();
        gains = gains.pow(exponent);
        gains = gains / (values * gains.Squared()).mean().sqrt();
        var matrix = (vectors * gains).matmul(vectors.t()).to_type(ScalarType.Float32);
        var constant = vectors.select(1, 0).to_type(ScalarType.Float32).Times(floor * Math.Sqrt(features.shape[1]));
        return (matrix, constant.Plus(matrix.matmul(mean).Times(kept - 1)));
    }

    /// <summary>Each tap's patch tokens of rendered sound pictures: [N, D_i].</summary>
    private IReadOnlyList<Tensor> Tokens(CompactVisionTower tower)
    {
        var info = tower.Info;
        var preprocessor = new ImagePreprocessor(info.ImageSize, ResizeMode.Stretch, info.Mean, info.Std);
        var renderer = new SceneRenderer(info.ImageSize);
        var perPicture = Enumerable.Range(0, Pictures).Select(i =>
        {
            var scene = renderer.Render(unchecked((seed * 5_000_011) + i), defective: false);
            return tower.Encode(preprocessor.Normalize([new PixelBuffer(info.ImageSize, info.ImageSize, scene.Rgb)])).PatchTokens;
        }).ToArray();
        return [.. Enumerable.Range(0, perPicture[0].Count).Select(tap => cat([.. perPicture.Select(taps => taps[tap].flatten(0, 1))], 0))];
    }
}
