using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Teaches the image embedding and the text tower to agree on rendered sound and defective pictures; the trunk stays as distilled. Writes the shipped files.</summary>
internal static class TextAlignment
{
    private const int Batch = 48;
    private const double PeakRate = 1e-3;

    /// <summary>Trains for a time; with a folder of a finished backbone, its text tower and words stay as they are and the image embedding alone learns.</summary>
    public static void Run(string trunk, string output, string? textFolder, TimeSpan time, int pictures, int seed, Device device, Action<string> report)
    {
        var config = new CompactVisionConfig();
        using var source = SafetensorsFile.Open(trunk);
        using var vision = WeightSet.Read(CompactVisionTower.Shapes(config), source);
        vision.MoveTo(device);
        var tower = new CompactVisionTower(config, vision);
        var merges = Vocabulary.Learn();
        var tokenizer = new BytePairTokenizer(merges, CompactBackbone.ContextLength);
        var textConfig = new TextTransformerConfig
        {
            Width = 128, Depth = 3, Heads = 4, MlpWidth = 512, ContextLength = tokenizer.ContextLength, VocabularySize = tokenizer.VocabularySize, JointWidth = config.JointWidth,
        };
        using var generator = new Generator((ulong)seed, CPU);
        using var text = textFolder is null ? Initial(TextTransformer.Shapes(textConfig), generator) : ReadText(textFolder, textConfig);
        text.MoveTo(device);
        var textTower = new TextTransformer(textConfig, text);
        using var maps = Encode(tower, pictures, seed, device, out var scenes, report);
        Train(tower, vision, textTower, text, trainsText: textFolder is null, tokenizer, maps, scenes, time, seed, report);
        Write(output, config, vision, textConfig, text, merges);
        report($"{tokenizer.VocabularySize} tokens written");
    }

    private static WeightSet ReadText(string folder, TextTransformerConfig config)
    {
        using var source = SafetensorsFile.Open(Path.Combine(folder, ShippedFiles.Backbone));
        return WeightSet.Read(TextTransformer.Shapes(config), new PrefixedTensors(source, "text."));
    }

    private static void Train(CompactVisionTower tower, WeightSet vision, TextTransformer textTower, WeightSet text, bool trainsText, BytePairTokenizer tokenizer, Tensor maps, Scene[] scenes,
        TimeSpan time, int seed, Action<string> report)
    {
        var random = new Random(seed);
        var trained = vision.ByName.Where(entry => entry.Key.StartsWith("embed.", StringComparison.Ordinal)).Select(entry => entry.Value).Concat(trainsText ? text.ByName.Values : []).ToArray();
        foreach (var tensor in trained)
        {
            tensor.requires_grad_(true);
        }

        using var optimizer = new AdamW(trained, 0.9, 0.98, 0.05);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (state, kind, correct) = (0.0, 0.0, 0.0);
        for (var step = 0; clock.Elapsed < time; step++)
        {
            using var scope = NewDisposeScope();
            var picked = Enumerable.Range(0, Batch).Select(_ => random.Next(scenes.Length)).ToArray();
            // The generic names must work for anything: a share of pictures goes by one of them.
            var names = picked.Select(i => random.Next(6) == 0 ? Generic[random.Next(Generic.Length)] : scenes[i].ClassName).ToArray();
            var images = tower.Embed(maps.index_select(0, tensor(picked.Select(i => (long)i).ToArray(), device: maps.device)));    // [B, C']
            var sentences = names.SelectMany(name => new[] { Any(PromptSentences.Normal(name), random), Any(PromptSentences.Abnormal(name), random) });
            var texts = textTower.Forward(stack([.. sentences.Select(sentence => tensor(tokenizer.Encode(sentence)))]).to(maps.device)).view(Batch, 2, -1);   // scale included
            var labels = tensor(picked.Select(i => scenes[i].IsDefective ? 1L : 0L).ToArray(), device: maps.device);
            var states = (images.unsqueeze(1) * texts).sum(-1);                                                                // [B, 2]
            var stateLoss = functional.cross_entropy(states, labels);
            var kindLoss = KindLoss(images, texts.mean([1]), names);
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

        foreach (var tensor in trained)
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

    /// <summary>The trunk's last maps of rendered pictures, half of them defective: [N, W, 14, 14].</summary>
    private static Tensor Encode(CompactVisionTower tower, int pictures, int seed, Device device, out Scene[] scenes, Action<string> report)
    {
        var rendered = new Scene[pictures];
        var renderer = new SceneRenderer(RenderPool.Side);
        Parallel.For(0, pictures, i => rendered[i] = renderer.Render(unchecked((seed * 7_000_003) + i), (i & 1) == 1));
        report($"{pictures} pictures rendered");
        using var noGradients = no_grad();
        var maps = new List<Tensor>();
        foreach (var chunk in rendered.Chunk(16))
        {
            using var scope = NewDisposeScope();
            var values = chunk.SelectMany(scene => Enumerable.Range(0, 3).SelectMany(c => Enumerable.Range(0, RenderPool.Side * RenderPool.Side).Select(p => (scene.Rgb[(3 * p) + c] / 127.5f) - 1))).ToArray();
            maps.Add(tower.Trunk(tensor(values, [chunk.Length, 3, RenderPool.Side, RenderPool.Side], device: device))[^1].DetachFromDisposeScope());
        }

        scenes = rendered;
        var all = cat([.. maps], 0);
        maps.ForEach(map => map.Dispose());
        return all;
    }

    private static string Any(IReadOnlyList<string> sentences, Random random) => sentences[random.Next(sentences.Count)];

    private static WeightSet Initial(IReadOnlyDictionary<string, long[]> shapes, Generator generator)
        => new(shapes.ToDictionary(shape => shape.Key, shape => (shape.Key switch
        {
            "log_scale" => tensor((float)Math.Log(10)),
            _ when shape.Key.Contains("norm", StringComparison.Ordinal) && shape.Key.EndsWith("weight", StringComparison.Ordinal) => ones(shape.Value),
            _ when shape.Key.EndsWith("bias", StringComparison.Ordinal) => zeros(shape.Value),
            _ => randn(shape.Value, generator: generator).Times(shape.Key is "tokens" or "positions" ? 0.05 : 1 / Math.Sqrt(shape.Value[^1])),
        }).DetachFromDisposeScope()));

    private static void Write(string output, CompactVisionConfig config, WeightSet vision, TextTransformerConfig textConfig, WeightSet text, IReadOnlyList<(string First, string Second)> merges)
    {
        Directory.CreateDirectory(output);
        using var scope = NewDisposeScope();
        var tensors = vision.ByName.Select(entry => ("vision." + entry.Key, entry.Value)).Concat(text.ByName.Select(entry => ("text." + entry.Key, entry.Value)))
            .ToDictionary(entry => entry.Item1, entry => entry.Value.to_type(ScalarType.Float16));
        var metadata = new Dictionary<string, string>
        {
            ["vision"] = config.ToJson(),
            ["text"] = JsonSerializer.Serialize(textConfig),
            ["teacher"] = "MobileNetV2 1.0 224 (ImageNet), google-coral/test_data, Apache-2.0",
            ["licence"] = "MIT; distilled on rendered images, see docs/explanation/compact-backbone.md",
        };
        using (var file = File.Create(Path.Combine(output, "compact.safetensors")))
        {
            SafetensorsWriter.Write(file, tensors, metadata);
        }

        File.WriteAllText(Path.Combine(output, "compact.merges.txt"), string.Concat(merges.Select(merge => $"{merge.First} {merge.Second}\n")));
    }
}
