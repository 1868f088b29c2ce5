using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Scoring;
using Microsoft.ML.KagPrompt.Synthesis;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Training;

/// <summary>Scores normal images the bank does not know (each support against the others), synthetic defects on them, and labelled ones, to place a class's threshold.</summary>
internal sealed class ThresholdCalibrator(InspectionNetwork network, ClassReference reference, int seed, CancellationToken cancellation)
{
    private const int SyntheticDefects = 8;

    // A full leave-one-out over a large bank costs its square; this many supports tell enough.
    private const int MostLeftOut = 32;

    public ThresholdCalibration Calibrate(IReadOnlyList<FitImage> support, IReadOnlyList<IReadOnlyList<torch.Tensor>> supportTokens,
        IReadOnlyList<FitImage> heldOut, IReadOnlyList<FitImage> anomalous)
    {
        var synthesizer = new NsaSynthesizer(SynthesisOptions.ForProduct(support[0].ClassName, [.. support.Concat(heldOut).Select(image => image.Square)]));
        var (normal, synthetic) = LeaveOneOut(support, supportTokens, synthesizer);
        normal.AddRange(Scores(heldOut.Select(image => image.Square), reference));
        if (normal.Count == 0)
        {
            // One image: its score against itself, and defects on it, are all there is.
            normal.AddRange(Scores([support[0].Square], reference));
            synthetic.AddRange(Scores(Twins(synthesizer, support[0].Square, support[0].Square, SyntheticDefects), reference));
        }

        normal.Sort();
        synthetic.Sort();
        float[] labelled = [.. Scores(anomalous.Select(image => image.Square), reference).Order()];
        var (method, threshold) = Place(normal, labelled, synthetic);
        return new()
        {
            Method = method,
            Threshold = threshold,
            Scale = ProbabilityScale.Of(threshold, normal, labelled.Length > 0 ? labelled : synthetic),
            SupportImages = support.Count,
            NormalScores = normal,
            AnomalousScores = labelled,
            SyntheticScores = synthetic,
        };
    }

    private (string Method, float Threshold) Place(List<float> normal, float[] labelled, List<float> synthetic) => network.Options.ThresholdBy switch
    {
        ThresholdChoice.Auto or ThresholdChoice.LargestF1 when labelled.Length > 0 => ("largest F1 on the labelled images", ThresholdRule.FromLabels(normal, labelled)),
        ThresholdChoice.LargestF1 when normal.Count >= 2 && synthetic.Count > 0 => ("largest F1 on normal images and synthetic defects", ThresholdRule.FromLabels(normal, synthetic)),
        _ when normal.Count >= 2 => ThresholdRule.FromNormals(normal, network.Options.TargetFalseRejectRate),
        // A guess, and called so.
        _ => ("half-way between the only normal image and its synthetic defects; the spread of normal images is unknown",
            synthetic.Count == 0 ? float.NaN : (normal[0] + Math.Max(normal[0], synthetic[synthetic.Count / 2])) / 2),
    };

    /// <summary>Each support, and a synthetic defect on some, against a bank of the others.</summary>
    private (List<float> Normal, List<float> Synthetic) LeaveOneOut(IReadOnlyList<FitImage> support, IReadOnlyList<IReadOnlyList<torch.Tensor>> tokens, NsaSynthesizer synthesizer)
    {
        var (normal, synthetic) = (new List<float>(), new List<float>());
        for (var left = 0; left < Math.Min(support.Count, MostLeftOut) && support.Count > 1; left++)
        {
            using var bank = MemoryBank.Build([.. tokens.Where((_, i) => i != left)]);
            using var others = new BorrowedReference(reference, bank);
            var twins = left < SyntheticDefects ? Twins(synthesizer, support[left].Square, support[(left + 1) % support.Count].Square, 1) : [];
            var scores = Scores([support[left].Square, .. twins], others.Value);
            normal.Add(scores[0]);
            synthetic.AddRange(scores.Skip(1));
        }

        return (normal, synthetic);
    }

    private PixelBuffer[] Twins(NsaSynthesizer synthesizer, PixelBuffer image, PixelBuffer source, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => synthesizer.Synthesize(image, source, random)).Where(twin => twin.HasDefect).Select(twin => twin.Image)];
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
