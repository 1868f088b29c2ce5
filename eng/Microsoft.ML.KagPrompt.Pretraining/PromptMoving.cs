using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Carries one backbone's graph prompt over to another's taps, by what both see of the same rendered products, half of them defective: a start for training.</summary>
internal sealed class PromptMoving(IBackboneFiles from, IBackboneFiles to, int products, int size, int seed, Action<string> report)
{
    public void Run(string prompt, string output)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var oldTower = from.Vision();
        using var newTower = to.Vision();
        var pictures = Enumerable.Range(0, products).SelectMany(i =>
        {
            var view = ProductRenderer.Views(unchecked((seed * 9_000_011) + i), 1, size)[0];
            return new[] { view, ProductRenderer.Damage(view, new Random(i)).Image };
        }).ToArray();
        var (old, seen) = (Tokens(oldTower, pictures), Tokens(newTower, pictures));
        PromptCarrying.Run(oldTower.Info, prompt, output, [.. old.Zip(seen, (was, now) => (OnGrid(was, now.shape[1]).flatten(0, 1), now.flatten(0, 1)))], report);
    }

    /// <summary>Each layer's tokens of all pictures: [N, L, D].</summary>
    private static IReadOnlyList<Tensor> Tokens(IVisionTower tower, PixelBuffer[] pictures)
    {
        var preprocessor = new ImagePreprocessor(pictures[0].Width, ResizeMode.Stretch, tower.Info.Mean, tower.Info.Std);
        var each = pictures.Select(picture =>
        {
            using var inner = NewDisposeScope();
            return tower.Encode(preprocessor.Normalize([picture])).PromptTokens.Select(tokens => tokens.MoveToOuterDisposeScope()).ToArray();
        }).ToArray();
        return [.. Enumerable.Range(0, each[0].Length).Select(layer => cat([.. each.Select(layers => layers[layer])], 0))];
    }

    /// <summary>Tokens of as many cells as the other tower has, read between those there are.</summary>
    private static Tensor OnGrid(Tensor tokens, long cells)
    {
        var (had, wanted) = ((long)Math.Sqrt(tokens.shape[1]), (long)Math.Sqrt(cells));
        var map = tokens.transpose(1, 2).unflatten(2, [had, had]);
        return functional.interpolate(map, [wanted, wanted], mode: InterpolationMode.Bilinear, align_corners: false).flatten(2).transpose(1, 2);
    }
}
