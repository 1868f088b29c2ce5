using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

/// <summary>Golden values of the comparison methods; some files hold tiny towers under OpenCLIP names beside them.</summary>
internal static class MethodGolden
{
    private static readonly string[] TowerNames =
        ["visual.", "transformer.", "token_embedding.", "ln_final.", "positional_embedding", "text_projection", "logit_scale"];

    /// <summary>A method's golden file.</summary>
    public static SafetensorsFile Open(string method) => SafetensorsFile.Open(SharedFiles.MethodGolden($"{method}.safetensors"));

    /// <summary>A size the file was made at.</summary>
    public static int Number(this SafetensorsFile golden, string name) => int.Parse(golden.Metadata[name], CultureInfo.InvariantCulture);

    /// <summary>Sizes the file was made at.</summary>
    public static int[] Numbers(this SafetensorsFile golden, string name)
        => [.. golden.Metadata[name].Trim('[', ']').Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];

    /// <summary>The file's towers, recognised as a published checkpoint is.</summary>
    public static (VisionTransformer Vision, TextTransformer Text) Towers(SafetensorsFile golden)
    {
        using var source = new TowersAlone(golden);
        var layout = KnownLayouts.Recognise(source,
            new LayoutHints { VisionHeads = golden.Number("vision_heads"), TextHeads = golden.Number("text_heads") });
        var vision = WeightSet.Read(VisionTransformer.Shapes(layout.Vision), new MappedTensors(source, layout.VisionRules));
        var text = WeightSet.Read(TextTransformer.Shapes(layout.Text!), new MappedTensors(source, layout.TextRules));
        return (new VisionTransformer(layout.Vision, vision), new TextTransformer(layout.Text!, text));
    }

    /// <summary>Asserts a largest difference of a share of the largest expected value.</summary>
    public static void ShouldBeNear(this torch.Tensor actual, torch.Tensor expected, double share, string because)
        => actual.ShouldBeClose(expected, share * expected.abs().max().ToSingle(), because);

    private sealed class TowersAlone(ITensorSource source) : ITensorSource
    {
        public string Origin => source.Origin;

        public IReadOnlyDictionary<string, TensorInfo> Entries { get; } = source.Entries
            .Where(entry => TowerNames.Any(name => entry.Key.StartsWith(name, StringComparison.Ordinal))).ToDictionary();

        public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

        public bool ReadsInParallel => source.ReadsInParallel;

        public torch.Tensor Read(string name) => source.Read(name);

        public void Dispose()
        {
        }
    }
}
