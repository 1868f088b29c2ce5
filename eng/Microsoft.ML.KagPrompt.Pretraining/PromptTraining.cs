using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using Microsoft.ML.KagPrompt.Synthesis;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>
/// Trains a backbone's graph prompt across rendered products, with the library's own trainer, as the paper trains across a data set. Weights whose names begin with
/// what is kept stay as they are, so that prompts of several backbones can share them.
/// </summary>
internal sealed class PromptTraining(IBackboneFiles files, TimeSpan time, int size, int pairs, double rate, double diceWeight, int seed, Device device, Action<string> report, string? keeps = null)
{
    private const int ViewsOfProduct = 4;

    /// <summary>How far the adapter moves an image from the mean prompt, which has length 1.</summary>
    private const double AdapterReach = 0.1;

    private readonly KagOptions options = new() { Training = new() { DiceWeight = (float)diceWeight } };

    /// <summary>Trains for a time from an untrained prompt, or from a file; writes the result there now and then.</summary>
    public void Run(string output, int products, string? resume)
    {
        using var tower = files.Vision();
        tower.MoveTo(device);
        var config = GraphPromptConfig.For(tower.Info, options.Prompt.Variant, options.Prompt.Iterations);
        var prompt = resume is null ? new GraphPrompt(config, seed) : ShippedFiles.ReadPrompt(config, resume);
        prompt.MoveTo(device);
        foreach (var (_, weight) in prompt.Weights.Where(entry => keeps is not null && entry.Key.StartsWith(keeps, StringComparison.Ordinal)))
        {
            weight.requires_grad_(false);
        }

        using var encoder = new FeatureEncoder(new Shared<NetworkTower>(new NetworkTower(files.Name, tower, null, null)), null, new ImageOptions { Size = size }, device);
        var sizes = new MethodSizes(tower.Info, tower.Info, size, MapUpsampling.CellCentres, device);
        var names = Vocabulary.Products;
        var texts = files.TextFeatures(names, device);
        report($"{names.Count} class names encoded");
        var views = new IReadOnlyList<PixelBuffer>[products];
        for (var i = 0; i < products; i++)
        {
            views[i] = ProductRenderer.Views(unchecked((seed * 3_000_017) + i), ViewsOfProduct, size);
        }

        report($"{products} products rendered");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (focal, dice, entropy, accuracy) = (0f, 0f, 0f, 0f);
        // Pictures are new in every step: none is kept.
        using var features = NormalFeatures.ForGraph(encoder, [], 0);
        new GraphTrainer(options, sizes, prompt, encoder, texts).Train(Ahead(Batches(views, names, clock)), step => rate * Math.Min(1, (step + 1) / 20.0) * Math.Max(0, 1 - (clock.Elapsed / time)), progress =>
        {
            var share = progress.Done == 1 ? 1 : 0.05f;
            (focal, dice, entropy, accuracy) = (Toward(focal, progress.Loss.Focal, share), Toward(dice, progress.Loss.Dice, share), Toward(entropy, progress.Loss.CrossEntropy, share),
                Toward(accuracy, progress.PixelAccuracy, share));
            if (progress.Done % 20 == 0)
            {
                report(FormattableString.Invariant($"step {progress.Done}, {clock.Elapsed.TotalSeconds:0} s: cross entropy {entropy:0.000}, focal {focal:0.0000}, dice {dice:0.000}, pixels right {accuracy:0.000}"));
                ShippedFiles.WritePrompt(prompt, output);
            }
        }, features, CancellationToken.None);
        Anchor(prompt, texts.Values);
        ShippedFiles.WritePrompt(prompt, output);
    }

    /// <summary>
    /// Lets the adapter of equation (15) move images only little about the mean of all prompts. Normal and abnormal prompts lie close together: the cosine to the abnormal one would mostly tell how near an image is to
    /// any sentence at all, which training on differences of cosines leaves to chance.
    /// </summary>
    private static void Anchor(GraphPrompt prompt, IEnumerable<Tensor> texts)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var middle = stack([.. texts]).mean([0, 1]).UnitLength(0);                          // [C']
        var (weight, bias) = (prompt.Weights["adapter.weight"], prompt.Weights["adapter.bias"]);
        var reach = Math.Sqrt((weight.Squared().sum().Value() / weight.shape[1]) + bias.Squared().sum().Value());
        weight.Scale(AdapterReach / reach);
        bias.Scale(AdapterReach / reach);
        bias.Add(middle);
    }

    private static float Toward(float old, float now, float share) => old + (share * (now - old));

    private IEnumerable<TwinBatch> Batches(IReadOnlyList<PixelBuffer>[] views, IReadOnlyList<string> names, System.Diagnostics.Stopwatch clock)
    {
        var random = new Random(seed);
        while (clock.Elapsed < time)
        {
            var (normal, twins) = (new ProductImage[pairs], new SyntheticImage[pairs]);
            for (var i = 0; i < pairs; i++)
            {
                var product = views[random.Next(views.Length)];
                var view = product[random.Next(product.Count)];
                normal[i] = new ProductImage(view, names[random.Next(names.Count)]);
                twins[i] = random.Next(2) == 0 ? Drawn(view, random) : Blended(view, product, views, random);
            }

            yield return new TwinBatch(normal, twins, 1);
        }
    }

    private static SyntheticImage Drawn(PixelBuffer view, Random random)
    {
        var (image, mask) = ProductRenderer.Damage(view, random);
        return new SyntheticImage(image, [.. mask.Select(set => set ? 1f : 0f)], mask, mask.Contains(true), 1);
    }

    /// <summary>NSA's patch of another view of the product, seldom of another product.</summary>
    private static SyntheticImage Blended(PixelBuffer view, IReadOnlyList<PixelBuffer> product, IReadOnlyList<PixelBuffer>[] views, Random random)
    {
        var source = random.Next(4) == 0 ? views[random.Next(views.Length)][0] : product[random.Next(product.Count)];
        return new NsaSynthesizer(SynthesisOptions.FitTo(product)).Synthesize(view, source, random);
    }

    /// <summary>The same batches, made on a thread of their own.</summary>
    private static IEnumerable<TwinBatch> Ahead(IEnumerable<TwinBatch> batches)
    {
        using var ready = new BlockingCollection<TwinBatch>(2);
        var producer = Task.Factory.StartNew(() =>
        {
            try
            {
                foreach (var batch in batches)
                {
                    ready.Add(batch);
                }
            }
            finally
            {
                ready.CompleteAdding();
            }
        }, TaskCreationOptions.LongRunning);
        foreach (var batch in ready.GetConsumingEnumerable())
        {
            yield return batch;
        }

        producer.GetAwaiter().GetResult();
    }
}
