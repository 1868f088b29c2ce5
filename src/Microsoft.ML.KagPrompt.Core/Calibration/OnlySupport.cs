using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>
/// What a photograph can be held against where there is no other, or one: itself turned and mirrored, and its own other half. Both know
/// the part but not the patch that is compared, as a new photograph's patches are not known.
/// </summary>
internal static class OnlySupport
{
    /// <summary>References that do not know what is scored against them. The caller owns each as it comes.</summary>
    /// <param name="network">Builds them.</param>
    /// <param name="support">The photograph.</param>
    /// <param name="features">It, encoded.</param>
    /// <param name="reference">The class, whose region and words count.</param>
    /// <param name="seed">Of what is drawn among the patches of views.</param>
    public static IEnumerable<ClassReference> References(
        InspectionNetwork network, ProductImage support, EncodedImages features, ClassReference reference, int seed)
    {
        var (pictures, regions) = ViewsOfSupport.Create(support.Square, support.Region, SupportViews.TurnedAndMirrored);
        yield return Build(
            network.Remember([.. pictures.Skip(1)], regions is null ? null : [.. regions.Skip(1)], seed), reference.Region);
        var side = support.Square.Width;
        Func<int, int, bool>[] halves = [(x, _) => x < side / 2, (x, _) => x >= side / 2, (_, y) => y < side / 2, (_, y) => y >= side / 2];
        foreach (var half in halves)
        {
            // A region may leave a half without a patch: it tells nothing then.
            if (Placed(half, other: true) is { } known && Placed(half, other: false) is { } scored)
            {
                yield return Build(network.Method.Remember(features, [known.Square], seed), scored);
            }
        }

        ClassReference Build(IReadOnlyList<torch.Tensor> kept, ClassRegion? scored)
        {
            try
            {
                return network.Method.BuildReference([kept], reference.TextFeatures?.clone(), scored);
            }
            finally
            {
                foreach (var tensor in kept)
                {
                    tensor.Dispose();
                }
            }
        }

        ClassRegion? Placed(Func<int, int, bool> half, bool other)
        {
            var inside = new bool[side * side];
            for (var p = 0; p < inside.Length; p++)
            {
                inside[p] = half(p % side, p / side) != other && (support.Region?.Inside[p] ?? true);
            }

            try
            {
                return network.Method.Place(new SquareRegion(side, inside, [.. support.Region?.Blank ?? [0, 0, 0]]));
            }
            catch (ArgumentException)
            {
                return null;
            }
        }
    }
}
