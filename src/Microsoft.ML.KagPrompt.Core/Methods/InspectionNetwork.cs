using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>The networks of a model on one device: frozen backbones, and a method with what weights it has. Owns them.</summary>
internal sealed class InspectionNetwork(FeatureEncoder encoder, IInspectionMethod method) : IDisposable
{
    /// <summary>Images that go through the networks together; bounds the memory of large batches and of large images.</summary>
    public int ImagesAtOnce => encoder.ImagesAtOnce;

    public FeatureEncoder Encoder => encoder;

    public IInspectionMethod Method => method;

    public torch.Device Device => encoder.Device;

    /// <summary>S.</summary>
    public int ImageSize => encoder.ImageSize;

    public ImagePreprocessor Preprocessor => encoder.Preprocessor;

    /// <summary>
    /// What the method needs to score S × S images of a class, of which no more than its region is seen. The caller owns it.
    /// </summary>
    public EncodedImages Encode(IReadOnlyList<PixelBuffer> squares, ClassRegion? region = null)
        => method.Encode(encoder, region is null ? squares : [.. squares.Select(region.Square.Cut)]);

    /// <summary>What the method keeps of a support image's views. The caller owns it.</summary>
    /// <param name="views">The views; outside their regions they show nothing.</param>
    /// <param name="regions">Of each; null: there are none.</param>
    /// <param name="seed">Of what is drawn among the patches of further views.</param>
    public IReadOnlyList<torch.Tensor> Remember(IReadOnlyList<PixelBuffer> views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        using var features = Encode(views);
        return method.Remember(features, regions, seed);
    }

    /// <summary>A class's region as its images, patches and maps have it; null where it has none.</summary>
    /// <exception cref="ArgumentException">It leaves nothing to inspect.</exception>
    public ClassRegion? Place(string className, IReadOnlyDictionary<string, InspectionRegion> regions)
    {
        if (!regions.TryGetValue(className, out var region))
        {
            return null;
        }

        try
        {
            return method.Place(Preprocessor.Place(region));
        }
        catch (ArgumentException fault)
        {
            throw new ArgumentException($"Regions['{className}']: {fault.Message}", fault);
        }
    }

    /// <summary>Maps, scores and unlikeness of encoded images of one class, on the CPU. The caller owns them.</summary>
    /// <param name="features">From <see cref="Encode"/>.</param>
    /// <param name="reference">The class.</param>
    /// <param name="nameOf">What to call an image of the batch in messages.</param>
    /// <exception cref="NotFiniteException">A score or a map is not of numbers: no verdict can rest on it.</exception>
    public MethodScores Score(EncodedImages features, ClassReference reference, Func<int, string>? nameOf = null)
        => encoder.Alone(() =>
        {
            var scored = method.Score(features, reference);
            var (maps, scores) = (scored.Maps.cpu(), scored.Scores.cpu());
            CheckFinite(maps, scores, nameOf);
            return new MethodScores(maps, scores, scored.Unlikeness?.cpu());
        }, scored => scored.Tensors);

    /// <summary>The same for whatever scores a batch in several ways.</summary>
    /// <exception cref="NotFiniteException">A score or a map is not of numbers: no verdict can rest on it.</exception>
    public IReadOnlyList<(torch.Tensor Maps, torch.Tensor Scores)> Score(
        Func<IReadOnlyList<(torch.Tensor Maps, torch.Tensor Scores)>> scored, Func<int, string>? nameOf)
        => encoder.Alone(() =>
        {
            var results = scored().Select(result => (Maps: result.Maps.cpu(), Scores: result.Scores.cpu())).ToArray();
            foreach (var (maps, scores) in results)
            {
                CheckFinite(maps, scores, nameOf);
            }

            return results;
        }, results => results.SelectMany(result => new[] { result.Maps, result.Scores }));

    public void Dispose()
    {
        method.Dispose();
        encoder.Dispose();
    }

    private static void CheckFinite(torch.Tensor maps, torch.Tensor scores, Func<int, string>? nameOf)
    {
        if (FiniteValues.Are(scores) && FiniteValues.Are(maps))
        {
            return;
        }

        var first = Enumerable.Range(0, (int)scores.shape[0])
            .First(k => !FiniteValues.Are(scores.narrow(0, k, 1)) || !FiniteValues.Are(maps.select(0, k)));
        throw new NotFiniteException($"There is no verdict on {nameOf?.Invoke(first) ?? $"image {first + 1} of the batch"}: "
            + "its score or map is not a finite number. The weights or the arithmetic of the device are at fault: "
            + "load the model again, try Device \"cpu\" or Precision Float32, or fit again.");
    }
}
