using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Benchmarks.Bars;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.FullSize;

/// <summary>
/// One query's time in the order of work of the authors' published pipeline (the query encoded for each branch, supports and 24 prompts
/// encoded again, Released graph), with this library's own kernels in 32 bit, beside this library's order of work (encoded once, Paper
/// graph, text features and bank kept).
/// </summary>
internal static class PublishedSchedule
{
    private const int Rounds = 3;
    private const string Part = "washer";

    /// <param name="directory">A converted backbone with a text side and its vocabulary.</param>
    public static void Run(string directory)
    {
        foreach (var (shots, lines) in Measure(directory, torch.CPU))
        {
            foreach (var (name, seconds) in lines)
            {
                Console.WriteLine(FormattableString.Invariant(
                    $"{shots} shot(s), {name}: {seconds:0.00} s a query, {lines[0].Seconds / seconds:0.0} times as fast"));
            }
        }
    }

    /// <summary>How many times as fast as the published order of work.</summary>
    public static IEnumerable<(string Name, Bar Bar)> Ratios(string directory, torch.Device? device = null)
    {
        foreach (var (shots, lines) in Measure(directory, device ?? torch.CPU))
        {
            yield return ($"published_schedule_over_ours_{shots}shot_fp32", new(lines[0].Seconds / lines[1].Seconds, double.NaN, "times as fast"));
            if (shots > 1)
            {
                yield return ($"published_schedule_over_ours_{shots}shot_auto", new(lines[0].Seconds / lines[2].Seconds, double.NaN, "times as fast"));
            }
        }
    }

    private static IEnumerable<(int Shots, (string Name, double Seconds)[] Lines)> Measure(string directory, torch.Device device)
    {
        var source = BackboneSources.Open(directory, []);
        using var text = source.LoadText()!;
        text.Tower.MoveTo(device);
        using var published = Network(source, GraphVariant.Released, Precision.Float32, device);
        using var ours = Network(source, GraphVariant.Paper, Precision.Float32, device);
        using var fastest = Network(source, GraphVariant.Paper, Precision.Auto, device);
        var query = ours.Preprocessor.Resize(TestImages.Part(300, 280, 9));
        foreach (var shots in (int[])[1, 4])
        {
            PixelBuffer[] supports = [.. Enumerable.Range(0, shots).Select(i => ours.Preprocessor.Resize(TestImages.Part(300, 280, i)))];
            using var kept = Reference(ours, supports, text);
            using var keptFastest = Reference(fastest, supports, text);
            var medians = Timing.Medians(
                Rounds,
                () => Again(published, query, supports, text),
                () => Score(ours, query, kept),
                () => Score(fastest, query, keptFastest));
            string[] names = ["published order of work, 32 bit", "ours, 32 bit", "ours, Precision.Auto"];
            yield return (shots, [.. names.Zip(medians)]);
        }
    }

    /// <summary>A network of random weights, ready to score.</summary>
    public static InspectionNetwork Network(IBackboneSource source, GraphVariant variant, Precision precision, torch.Device? device = null)
    {
        var options = new FitChoices { Variant = variant, Precision = precision };
        InspectionOptions all = options;
        var place = device ?? torch.CPU;
        var tower = NetworkTower.Load(source, all.Backbone, taps: null, place);
        var encoder = new FeatureEncoder(new Shared<NetworkTower>(tower), null, all.Images, place);
        var info = encoder.Tower.Info;
        var prompt = new GraphPrompt(GraphPromptConfig.For(info, variant, options.Iterations), seed: 1);
        prompt.MoveTo(place);
        return new InspectionNetwork(encoder, new KagMethod(
            options.Kag, new MethodSizes(info, info, encoder.ImageSize, all.Images.MapUpsampling, place),
            prompt, startsTrained: false));
    }

    private static void Again(InspectionNetwork network, PixelBuffer query, PixelBuffer[] supports, TextSide text)
    {
        var (forPrompt, forMemory) = (network.Encoder.Encode([query]), network.Encoder.Encode([query]));
        using var features = new ScoringFeatures(forPrompt, forMemory);
        using var reference = Reference(network, supports, text);
        Score(network, features, reference);
    }

    private static void Score(InspectionNetwork network, PixelBuffer query, ClassReference reference)
    {
        using var features = network.Encode([query]);
        Score(network, features, reference);
    }

    private static void Score(InspectionNetwork network, EncodedImages features, ClassReference reference)
    {
        network.Score(features, reference).Dispose();
    }

    private static ClassReference Reference(InspectionNetwork network, PixelBuffer[] supports, TextSide text)
    {
        var patches = network.Remember(supports);
        var reference = network.Method.BuildReference(
            [patches], TextFeatures.Encode(text.Tower, text.Tokenizer, PromptEnsemble.Paper(Part), network.Encoder.Device));
        foreach (var layer in patches)
        {
            layer.Dispose();
        }

        return reference;
    }
}
