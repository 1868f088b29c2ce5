using FluentAssertions;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

[Trait("Category", "Golden")]
public class ImageBindGoldenTests
{
    [SkippableFact]
    public void Towers_TinyImageBind_EqualGolden()
    {
        using var golden = SafetensorsFile.Open(SharedFiles.Golden("imagebind_tiny_io.safetensors"));
        using var checkpoint = PyTorchCheckpoint.Open(SharedFiles.Golden("imagebind_tiny.pth"));
        using var scope = torch.NewDisposeScope();
        var layout = KnownLayouts.Recognise(checkpoint, new LayoutHints { VisionHeads = Heads(golden, "vision_heads"), TextHeads = Heads(golden, "text_heads") });
        layout.Family.Should().Be("ImageBind");
        using (var vision = new VisionTransformer(layout.Vision, WeightSet.Read(VisionTransformer.Shapes(layout.Vision), new MappedTensors(checkpoint, layout.VisionRules))))
        using (var text = new TextTransformer(layout.Text!, WeightSet.Read(TextTransformer.Shapes(layout.Text!), new MappedTensors(checkpoint, layout.TextRules))))
        {
            using var features = vision.Encode(golden.Read("image"));
            for (var i = 0; i < features.PatchTokens.Count; i++)
            {
                features.PatchTokens[i].ShouldBeClose(golden.Read($"patch_tokens.{i}"), TensorAssertions.StageTolerance, $"patch_tokens.{i}");
            }

            features.ImageEmbedding.ShouldBeClose(golden.Read("vision_embedding"), TensorAssertions.StageTolerance, "vision_embedding");

            // The text embedding includes the logit scale: values up to 100, so the tolerance is relative to that.
            var expected = golden.Read("text_embedding");
            var actual = text.Encode(golden.Read("tokens"));
            actual.ShouldBeClose(expected, TensorAssertions.StageTolerance * Math.Max(1, expected.abs().max().ToSingle()), "text_embedding");
        }
    }

    private static int Heads(SafetensorsFile golden, string name) => int.Parse(golden.Metadata[name], System.Globalization.CultureInfo.InvariantCulture);
}
