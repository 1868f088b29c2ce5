using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>
/// Lets a graph prompt see through new taps what it saw through old ones, of the same tower or of another: the map from new to old features, by least squares, is folded
/// into its first layer.
/// </summary>
internal static class PromptCarrying
{
    // Share of the new features' mean variance added to each direction's: some vary nowhere.
    private const double Ridge = 1e-6;

    /// <param name="info">Of the tower that the prompt was made for.</param>
    /// <param name="prompt">The file of the prompt.</param>
    /// <param name="output">Where the carried prompt goes.</param>
    /// <param name="features">Of each tap, old and new features of the same patches, [N, D_i].</param>
    /// <param name="report">Told how much of the old features is left unexplained.</param>
    public static void Run(VisionTowerInfo info, string prompt, string output, IReadOnlyList<(Tensor Old, Tensor New)> features, Action<string> report)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var options = new PromptOptions();
        using var graph = ShippedFiles.ReadPrompt(GraphPromptConfig.For(info, options.Variant, options.Iterations), prompt);
        var weights = graph.Weights.ToDictionary();
        for (var tap = 0; tap < features.Count; tap++)
        {
            var (old, seen) = (features[tap].Old.cpu().to_type(ScalarType.Float64), features[tap].New.cpu().to_type(ScalarType.Float64));
            var (oldMean, seenMean) = (old.mean([0]), seen.mean([0]));
            var (oldCentred, seenCentred) = (old.Minus(oldMean), seen.Minus(seenMean));
            var covariance = seenCentred.t().matmul(seenCentred);
            covariance.diagonal().Add(covariance.diagonal().mean().Times(Ridge));
            var matrix = linalg.solve(covariance, seenCentred.t().matmul(oldCentred)).t();                       // old ≈ matrix · new + shift
            var left = oldCentred.Minus(seenCentred.matmul(matrix.t())).Squared().sum().to_type(ScalarType.Float32).Value() / oldCentred.Squared().sum().to_type(ScalarType.Float32).Value();
            report(FormattableString.Invariant($"tap {tap + 1}: {left:0.0000} of the old features' variance is not to be had from the new ones"));
            var shift = oldMean.Minus(matrix.matmul(seenMean));
            var (weight, bias) = (weights[$"projection.{tap}.weight"], weights[$"projection.{tap}.bias"]);
            weights[$"projection.{tap}.bias"] = bias.Plus(weight.matmul(shift.to_type(ScalarType.Float32)));
            weights[$"projection.{tap}.weight"] = weight.matmul(matrix.to_type(ScalarType.Float32));
        }

        ShippedFiles.WritePrompt(weights, output);
    }
}
