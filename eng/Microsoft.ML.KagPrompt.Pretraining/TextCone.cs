using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>
/// Brings a text tower's features into a narrow cone, as large models' are, by one constant direction added before the last normalisation. Equation (12)
/// multiplies cosines by 100: where normal and abnormal prompts lie far apart, a few training steps push every patch to probabilities without a gradient.
/// </summary>
internal static class TextCone
{
    /// <summary>‖F_a − F_n‖ to reach: at temperature 100, logits of a few units.</summary>
    private const double Target = 0.086;

    private static readonly string[] Names = ["object", "part", "washer", "tile", "cookie", "nut", "circuit board", "cable"];

    public static void Run(string input, string output, Action<string> report)
    {
        var path = Path.Combine(input, ShippedFiles.Backbone);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var source = SafetensorsFile.Open(path);
        using var merges = File.OpenRead(Path.Combine(input, ShippedFiles.Merges));
        using var text = CompactBackbone.ReadText(source);
        var tokenizer = BytePairTokenizer.FromMerges(merges, CompactBackbone.ContextLength);
        var (bias, head) = (text.Weights["norm.bias"], text.Weights["head.weight"]);
        var original = bias.clone();
        using var generator = new Generator(1, CPU);
        var direction = linalg.solve(head.to_type(ScalarType.Float64), randn([head.shape[0], 1], ScalarType.Float64, generator: generator).UnitLength(0)).squeeze(1).to_type(bias.dtype);
        var (low, high) = (0.0, 1e4);
        report(FormattableString.Invariant($"normal and abnormal prompts lie {Distance():0.000} apart"));
        for (var i = 0; i < 40; i++)
        {
            var middle = (low + high) / 2;
            bias.copy_(original);
            bias.AddScaled(direction, middle);
            (low, high) = Distance() > Target ? (middle, high) : (low, middle);
        }

        report(FormattableString.Invariant($"now {Distance():0.000}"));
        new ShippedFiles(input).WriteChanged(output, new Dictionary<string, Tensor> { ["text.norm.bias"] = bias });

        double Distance() => Names.Average(name =>
        {
            using var inner = NewDisposeScope();
            var pair = TextFeatures.Encode(text, tokenizer, PromptEnsemble.Paper(name), CPU);
            return Math.Sqrt(pair[1].Minus(pair[0]).Squared().sum().Value());
        });
    }
}
