using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Synthesis;
using TorchSharp;
using Measured = (float Image, float Map, float Unlikeness);

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>
/// Scores normal images the bank does not know (each support against the others), synthetic defects on them, and labelled ones,
/// to place a class's threshold.
/// </summary>
internal sealed class ThresholdCalibrator(
    InspectionNetwork network, ClassReference reference, ThresholdOptions options, NsaSynthesizer synthesizer,
    int seed, CancellationToken cancellation)
{
    // Synthetic defects at least; each of the first supports gets its share of them.
    private const int SyntheticDefects = 8;

    // A full leave-one-out over a large bank costs its square; this many supports tell enough.
    private const int MostLeftOut = 32;

    public ThresholdCalibration Calibrate(IReadOnlyList<ProductImage> support, IReadOnlyList<IReadOnlyList<torch.Tensor>> supportTokens,
        IReadOnlyList<ProductImage> heldOut, IReadOnlyList<ProductImage> anomalous)
    {
        var (left, synthetic) = LeaveOneOut(support, supportTokens);
        var alone = left.Select(score => new SupportLikeness.Alone(score.Image, score.Unlikeness)).ToArray();
        var likeness = new SupportLikeness(support, alone, Unlikeness(BlankFrames.Create(network.ImageSize)));
        var beside = Scores(heldOut.Select(image => image.Square), reference);
        var known = likeness.Known.Concat(beside.Select(score => score.Unlikeness)).ToArray();
        // Held against its copy a picture scores nothing: that would draw the threshold below every part.
        Measured[] single = [.. left.Where((_, i) => !likeness.IsCopy(i))];
        Measured[] normal = [.. single, .. beside];
        if (support.Count == 1)
        {
            synthetic.AddRange(Scores(WithDefects(support[0].Square, support[0].Square, SyntheticDefects, 0), reference));
        }

        // Nothing to hold the only support, or its copies, against but itself; and two tell little of each other.
        List<Measured>[] itself = normal.Length == 0 ? [AgainstItself(support[0])]
            : support.Count == 2 && single.Length == 2 && beside.Count == 0 ? [.. support.Select(AgainstItself)]
            : [];

        // One image does not tell how the next may differ; pictures made of it tell a little.
        var seen = known.Length >= 2 ? known : Unlikeness(GentleVariations.Create(support[0].Square));
        var limit = ForeignLimit.Place(seen, known.Length, likeness.Blank);
        var labelled = Scores(anomalous.Select(image => image.Square), reference);
        var (sound, defective, synthesized) = (Sorted(normal, Image), Sorted(labelled, Image), Sorted(synthetic, Image));
        var rule = new ThresholdRule(options, support.Count, single.Length);
        var placed = rule.Place([.. normal.Select(Image)], defective, synthesized, Own(Image));
        return new()
        {
            Method = placed.Method,
            Threshold = placed.Threshold,
            ScoreModel = placed.Model,
            MapThreshold = rule.Place([.. normal.Select(Map)], Sorted(labelled, Map), Sorted(synthetic, Map), Own(Map)).Threshold,
            Scale = ProbabilityScale.Compute(
                placed.Threshold,
                sound.Length > 0 || placed.Model is null ? sound : [placed.Model.Middle],
                defective.Length > 0 ? defective : synthesized),
            SupportImages = support.Count,
            NormalScores = sound,
            AnomalousScores = defective,
            SyntheticScores = synthesized,
            UnlikenessLimit = limit,
            Warnings = likeness.Warnings(),
            FarthestSupport = likeness.Farthest(),
        };

        float[] Unlikeness(IEnumerable<PixelBuffer> squares) => [.. Scores(squares, reference).Select(score => score.Unlikeness)];
        float[][] Own(Func<Measured, float> part) => [.. itself.Select(scores => scores.Select(part).ToArray())];
        static float Image(Measured score) => score.Image;
        static float Map(Measured score) => score.Map;
    }

    private static float[] Sorted(IEnumerable<Measured> scores, Func<Measured, float> part) => [.. scores.Select(part).Order()];

    /// <summary>Each support, and a synthetic defect on some, against a bank of the others.</summary>
    private (List<Measured> Normal, List<Measured> Synthetic) LeaveOneOut(
        IReadOnlyList<ProductImage> support, IReadOnlyList<IReadOnlyList<torch.Tensor>> tokens)
    {
        var (normal, synthetic) = (new List<Measured>(), new List<Measured>());
        for (var left = 0; left < Math.Min(support.Count, MostLeftOut) && support.Count > 1; left++)
        {
            using var others = network.Method.LeaveOut(reference, tokens, left);
            var share = (SyntheticDefects + support.Count - 1) / support.Count;
            var twins = left < SyntheticDefects
                ? WithDefects(support[left].Square, support[(left + 1) % support.Count].Square, share, left)
                : [];
            var scores = Scores([support[left].Square, .. twins], others);
            normal.Add(scores[0]);
            synthetic.AddRange(scores.Skip(1));
        }

        return (normal, synthetic);
    }

    /// <summary>A support against its own views and halves.</summary>
    private List<Measured> AgainstItself(ProductImage support)
    {
        var scores = new List<Measured>();
        using var features = network.Encode([support.Square], reference.Region);
        foreach (var others in OnlySupport.References(network, support, features, reference, seed))
        {
            using (others)
            {
                cancellation.ThrowIfCancellationRequested();
                scores.AddRange(Measure(features, others, _ => support.Origin));
            }
        }

        return scores;
    }

    /// <summary>Copies with synthetic defects; each stream has defects of its own.</summary>
    private PixelBuffer[] WithDefects(PixelBuffer image, PixelBuffer source, int count, int stream)
    {
        var random = new Random(unchecked((seed * 397) ^ stream));
        return [.. Enumerable.Range(0, count)
            .Select(_ => synthesizer.Synthesize(image, source, random, reference.Region?.Square))
            .Where(twin => twin.HasDefect)
            .Select(twin => twin.Image)];
    }

    /// <summary>As <see cref="Measure"/> of images as they come.</summary>
    private IReadOnlyList<Measured> Scores(IEnumerable<PixelBuffer> squares, ClassReference against)
    {
        var scores = new List<Measured>();
        foreach (var chunk in squares.Chunk(network.ImagesAtOnce))
        {
            cancellation.ThrowIfCancellationRequested();
            using var features = network.Encode(chunk, against.Region);
            scores.AddRange(Measure(features, against, k => $"image {scores.Count + k + 1} of those the threshold is placed by"));
        }

        return scores;
    }

    /// <summary>
    /// Each image's score, the mean of its map's largest values (the score's part that the map alone decides), and its unlikeness.
    /// </summary>
    private Measured[] Measure(EncodedImages features, ClassReference against, Func<int, string> nameOf)
    {
        using var scored = network.Score(features, against, nameOf);
        using var tops = network.Method.MapScores(scored.Maps, against.Region);
        var scores = scored.Scores.data<float>().ToArray();
        var unlikeness = scored.Unlikeness?.data<float>().ToArray() ?? Enumerable.Repeat(float.NaN, scores.Length);
        return [.. scores.Zip(tops.data<float>().ToArray(), unlikeness)];
    }
}
