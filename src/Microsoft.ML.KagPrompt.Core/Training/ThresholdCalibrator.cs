using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Scoring;
using Microsoft.ML.KagPrompt.Synthesis;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Training;

/// <summary>Scores normal images the bank does not know (each support against the others), and defects, to place a class's threshold.</summary>
internal sealed class ThresholdCalibrator(InspectionNetwork network, ClassReference reference, int seed, CancellationToken cancellation)
{
    // With one image nothing tells how normal parts differ: so many synthetic defects give the other side.
    private const int SyntheticDefects = 8;

    // A full leave-one-out over a large bank costs its square; this many supports tell enough.
    private const int MostLeftOut = 32;

    /// <summary>Labelled defects decide by F1 where there are any; else normal scores by the target false-reject rate; else synthetic defects.</summary>
    public ThresholdCalibration Calibrate(IReadOnlyList<FitImage> support, IReadOnlyList<IReadOnlyList<torch.Tensor>> supportTokens,
        IReadOnlyList<FitImage> heldOut, IReadOnlyList<FitImage> anomalous)
    {
        var normal = new List<float>(Scores(heldOut.Select(image => image.Square), reference));
        normal.AddRange(LeaveOneOut(support, supportTokens));
        if (anomalous.Count > 0)
        {
            var defects = Scores(anomalous.Select(image => image.Square), reference);
            return ThresholdRule.FromLabels(normal.Count > 0 ? normal : Scores(support.Select(image => image.Square), reference), defects,
                "largest F1 on the labelled images");
        }

        return normal.Count >= 2 ? ThresholdRule.FromNormals(normal, network.Options.TargetFalseRejectRate) : FromSynthetic(support, heldOut);
    }

    private IEnumerable<float> LeaveOneOut(IReadOnlyList<FitImage> support, IReadOnlyList<IReadOnlyList<torch.Tensor>> tokens)
    {
        for (var left = 0; left < Math.Min(support.Count, MostLeftOut) && support.Count > 1; left++)
        {
            using var bank = MemoryBank.Build([.. tokens.Where((_, i) => i != left)]);
            using var others = new BorrowedReference(reference, bank);
            yield return Scores([support[left].Square], others.Value)[0];
        }
    }

    /// <summary>Half-way between the image itself and the median of its synthetic defects: a guess, and called so.</summary>
    private ThresholdCalibration FromSynthetic(IReadOnlyList<FitImage> support, IReadOnlyList<FitImage> heldOut)
    {
        var images = support.Concat(heldOut).Select(image => image.Square).ToArray();
        var synthesizer = new NsaSynthesizer(SynthesisOptions.ForProduct(support[0].ClassName, images));
        var random = new Random(seed);
        var defects = Scores(Enumerable.Range(0, SyntheticDefects).Select(_ => synthesizer.Synthesize(images[0], images[^1], random))
            .Where(twin => twin.HasDefect).Select(twin => twin.Image).ToArray(), reference).Order().ToArray();
        var own = Scores(images, reference);
        var threshold = defects.Length == 0 ? float.NaN : (own.Max() + Math.Max(own.Max(), defects[defects.Length / 2])) / 2;
        return new("half-way between the only normal image and its synthetic defects; the spread of normal images is unknown", threshold, own.Count, defects.Length);
    }

    private IReadOnlyList<float> Scores(IEnumerable<PixelBuffer> squares, ClassReference against)
    {
        var scores = new List<float>();
        foreach (var chunk in squares.Chunk(KagPromptModel.ForwardBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            using var features = network.EncodeForScoring(chunk);
            var (maps, values) = network.Score(features, against);
            using (maps)
            using (values)
            {
                scores.AddRange(values.data<float>().ToArray());
            }
        }

        return scores;
    }

    /// <summary>The class with another bank, which it owns; the text features stay with the class.</summary>
    private sealed class BorrowedReference(ClassReference original, MemoryBank bank) : IDisposable
    {
        public ClassReference Value { get; } = new(original.TextFeatures?.alias().DetachFromDisposeScope(), bank);

        public void Dispose() => Value.TextFeatures?.Dispose();
    }
}
