using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>
/// Teaches a tower's image embedding, and the compact backbone's text tower where there is none yet, to agree on rendered sound and defective pictures; the rest of
/// the vision tower stays as it is. Writes the shipped files.
/// </summary>
internal static class TextAlignment
{
    private const int Batch = 48;
    private const double PeakRate = 1e-3;

    /// <summary>Trains for a time; with a folder of a finished compact backbone, its text tower and words stay as they are and the image embedding alone learns. So it does for ResNet18.</summary>
    public static void Run(string trunk, string output, string? textFolder, TimeSpan time, int pictures, int seed, Device device, Action<string> report)
    {
        using var pupil = ResNet18Alignment.IsOne(trunk) ? (IAlignmentPupil)new ResNet18Alignment(trunk, seed) : new CompactAlignment(trunk, textFolder, seed);
        pupil.Vision.MoveTo(device);
        pupil.Text.MoveTo(device);
        using var maps = Encode(pupil, pictures, seed, device, out var scenes, report);
        Train(pupil, maps, scenes, time, seed, report);
        pupil.Write(output);
        report($"{pupil.Tokenizer.VocabularySize} tokens written");
    }

    private static void Train(IAlignmentPupil pupil, Tensor maps, Scene[] scenes, TimeSpan time, int seed, Action<string> report)
    {
        var random = new Random(seed);
        foreach (var tensor in pupil.Trained)
        {
            tensor.requires_grad_(true);
        }

        using var texts = new Sentences(pupil, maps.device);
        using var optimizer = new AdamW(pupil.Trained, 0.9, 0.98, 0.05);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (state, kind, correct) = (0.0, 0.0, 0.0);
        for (var step = 0; clock.Elapsed < time; step++)
        {
            using var scope = NewDisposeScope();
            var picked = Enumerable.Range(0, Batch).Select(_ => random.Next(scenes.Length)).ToArray();
            // The generic names must work for anything: a share of pictures goes by one of them.
            var names = picked.Select(i => random.Next(6) == 0 ? Generic[random.Next(Generic.Length)] : scenes[i].ClassName).ToArray();
            var images = pupil.Embedding.Embed(maps.index_select(0, tensor(picked.Select(i => (long)i).ToArray(), device: maps.device)));    // [B, C']
            var sentences = names.SelectMany(name => new[] { Any(PromptSentences.Normal(name), random), Any(PromptSentences.Abnormal(name), random) });
            var said = texts.Encode([.. sentences]).view(Batch, 2, -1);                                                        // scale included
            var labels = tensor(picked.Select(i => scenes[i].IsDefective ? 1L : 0L).ToArray(), device: maps.device);
            var states = (images.unsqueeze(1) * said).sum(-1);                                                                 // [B, 2]
            var stateLoss = functional.cross_entropy(states, labels);
            var kindLoss = KindLoss(images, said.mean([1]), names);
            var loss = stateLoss.Plus(kindLoss.Times(0.3));
            optimizer.ZeroGradients();
            loss.backward();
            optimizer.ClipGradients(1);
            optimizer.Step(PeakRate * Math.Min(1, (step + 1) / 100.0) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, clock.Elapsed / time))));
            var share = step == 0 ? 1 : 0.02;
            state += share * (stateLoss.Value() - state);
            kind += share * (kindLoss.Value() - kind);
            correct += share * (states.argmax(1).eq(labels).to_type(ScalarType.Float32).mean().Value() - correct);
            if (step % 100 == 0)
            {
                report(FormattableString.Invariant($"step {step}, {clock.Elapsed.TotalSeconds:0} s: state loss {state:0.000} ({correct:P0} right), kind loss {kind:0.000}"));
            }
        }

        foreach (var tensor in pupil.Trained)
        {
            tensor.requires_grad_(false);
        }
    }

    private static string[] Generic { get; } = ["object", "part", "product", "item", "thing", "component"];

    /// <summary>Which of the batch's names a picture goes by; equal names count as one.</summary>
    private static Tensor KindLoss(Tensor images, Tensor texts, string[] names)
    {
        var distinct = names.Distinct().ToArray();
        var first = tensor(distinct.Select(name => (long)Array.IndexOf(names, name)).ToArray(), device: images.device);
        var logits = images.matmul(texts.index_select(0, first).t());
        return functional.cross_entropy(logits, tensor(names.Select(name => (long)Array.IndexOf(distinct, name)).ToArray(), device: images.device));
    }

    /// <summary>The deepest maps of rendered pictures, half of them defective: [N, W, h, w].</summary>
    private static Tensor Encode(IAlignmentPupil pupil, int pictures, int seed, Device device, out Scene[] scenes, Action<string> report)
    {
        var rendered = new Scene[pictures];
        var renderer = new SceneRenderer(RenderPool.Side);
        Parallel.For(0, pictures, i => rendered[i] = renderer.Render(unchecked((seed * 7_000_003) + i), (i & 1) == 1));
        report($"{pictures} pictures rendered");
        var preprocessor = new ImagePreprocessor(RenderPool.Side, ResizeMode.Stretch, pupil.Vision.Info.Mean, pupil.Vision.Info.Std);
        using var noGradients = no_grad();
        var maps = new List<Tensor>();
        foreach (var chunk in rendered.Chunk(16))
        {
            using var scope = NewDisposeScope();
            var images = preprocessor.Normalize([.. chunk.Select(scene => new PixelBuffer(RenderPool.Side, RenderPool.Side, scene.Rgb))]);
            maps.Add(pupil.Embedding.Deepest(images.to(device)).DetachFromDisposeScope());
        }

        scenes = rendered;
        var all = cat([.. maps], 0);
        maps.ForEach(map => map.Dispose());
        return all;
    }

    private static string Any(IReadOnlyList<string> sentences, Random random) => sentences[random.Next(sentences.Count)];

    /// <summary>Sentences' features, scale included. A text tower that stays as it is encodes each once.</summary>
    private sealed class Sentences(IAlignmentPupil pupil, Device device) : IDisposable
    {
        private readonly Dictionary<string, Tensor> known = [];

        public Tensor Encode(IReadOnlyList<string> sentences)
        {
            if (pupil.TrainsText)
            {
                return Forward(sentences);
            }

            var unknown = sentences.Distinct().Where(sentence => !known.ContainsKey(sentence)).ToArray();
            if (unknown.Length > 0)
            {
                using var scope = NewDisposeScope();
                using var noGradients = no_grad();
                var features = Forward(unknown);
                foreach (var (sentence, i) in unknown.Select((sentence, i) => (sentence, i)))
                {
                    known.Add(sentence, features[i].clone().DetachFromDisposeScope());
                }
            }

            return stack([.. sentences.Select(sentence => known[sentence])]);
        }

        public void Dispose()
        {
            foreach (var feature in known.Values)
            {
                feature.Dispose();
            }
        }

        private Tensor Forward(IReadOnlyList<string> sentences) => pupil.Text.Forward(stack([.. sentences.Select(sentence => tensor(pupil.Tokenizer.Encode(sentence)))]).to(device));
    }
}
