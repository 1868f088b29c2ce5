using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using TorchSharp;

namespace Microsoft.ML.KagPrompt;

// From pictures to verdicts, some of one class at a time.
public sealed partial class KagPromptModel
{
    /// <summary>Images of one class that go through the networks together, by position.</summary>
    private IEnumerable<(string Name, ClassState State, int[] Chunk)> Chunks(IReadOnlyList<PixelBuffer> images,
        IReadOnlyList<string?> classNames)
    {
        ArgumentNullException.ThrowIfNull(classNames);
        if (images.Count != classNames.Count)
        {
            throw new ArgumentException($"classNames: expected one for each of {images.Count} images, got {classNames.Count}.",
                nameof(classNames));
        }

        return Enumerable.Range(0, images.Count).GroupBy(i => KnownName(classNames[i])).ToArray()
            .SelectMany(group => group.Chunk(Network.ImagesAtOnce).Select(chunk => (group.Key, classes[group.Key], chunk)));
    }

    private void FuseChunk(IReadOnlyList<PixelBuffer> images, int[] chunk, string name, ClassState state,
        IReadOnlyList<ScoreFusion> fusions, IReadOnlyList<FusedInspection>[] results)
    {
        using var held = Hold(state);
        using var scope = torch.NewDisposeScope();
        using var features = Network.Encode([.. chunk.Select(i => Square(images[i], name, NameOf(images, i, name)))],
            state.Reference.Value.Region);
        var pixels = MapSize * MapSize;
        var method = (KagMethod)Network.Method;
        var fused = Network
            .Score(() => method.Score((ScoringFeatures)features, state.Reference.Value, fusions), k => NameOf(images, chunk[k], name))
            .Select(result => (Maps: WithRegion(result.Maps.data<float>().ToArray(), state), Scores: result.Scores.data<float>().ToArray()))
            .ToArray();
        for (var k = 0; k < chunk.Length; k++)
        {
            results[chunk[k]] =
                [.. fused.Select(result => new FusedInspection(result.Scores[k], result.Maps[(k * pixels)..((k + 1) * pixels)]))];
        }
    }

    private void InspectChunk(IReadOnlyList<PixelBuffer> images, int[] chunk, string name, ClassState state, bool atImageSize,
        Inspection[] results)
    {
        using var held = Hold(state);
        var preprocessor = Network.Preprocessor;
        using var features = Network.Encode([.. chunk.Select(i => Square(images[i], name, NameOf(images, i, name)))],
            state.Reference.Value.Region);
        var (maps, scores, unlikeness) = Network.Score(features, state.Reference.Value, k => NameOf(images, chunk[k], name));
        using (maps)
        using (scores)
        using (unlikeness)
        {
            var side = Network.ImageSize;
            var values = WithRegion(maps.data<float>().ToArray(), state);
            var points = scores.data<float>().ToArray();
            var lacks = unlikeness?.data<float>().ToArray();
            for (var k = 0; k < chunk.Length; k++)
            {
                var image = images[chunk[k]];
                var map = values[(k * side * side)..((k + 1) * side * side)];
                var (height, width) = atImageSize ? (image.Height, image.Width) : (side, side);
                var lack = lacks?[k] ?? float.NaN;
                var isForeign = state.Calibration.IsForeign(lack);
                var isAnomalous = state.Calibration.IsAnomalous(points[k], lack);
                results[chunk[k]] = new(points[k], isAnomalous, state.Calibration.Threshold, state.Calibration.ProbabilityOf(points[k]),
                    atImageSize ? preprocessor.MapToImage(map, width, height) : map, height, width)
                {
                    Unlikeness = lack,
                    IsForeign = isForeign,
                };
            }
        }
    }

    /// <summary>Marks what was not inspected.</summary>
    private static float[] WithRegion(float[] maps, ClassState state)
    {
        if (state.Reference.Value.Region is { Inspected: var inspected })
        {
            for (var p = 0; p < maps.Length; p++)
            {
                maps[p] = inspected[p % inspected.Length] ? maps[p] : float.NaN;
            }
        }

        return maps;
    }

    private static string NameOf(IReadOnlyList<PixelBuffer> images, int i, string className)
        => $"image {i + 1} of {images.Count} (class '{className}')";
}
