using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Imaging;

[Trait("Category", "Golden")]
public class PreprocessGoldenTests
{
    [SkippableFact]
    public void CropShortSide_Photographs_EqualPillowAndTorchvision()
    {
        using var golden = SafetensorsFile.Open(SharedFiles.Golden("preprocess.safetensors"));
        foreach (var name in golden.Entries.Keys)
        {
            using var scope = torch.NewDisposeScope();
            var expected = golden.Read(name);
            var preprocessor = new ImagePreprocessor((int)expected.shape[1], ResizeMode.CropShortSide,
                [0.48145466f, 0.4578275f, 0.40821073f], [0.26862954f, 0.26130258f, 0.27577711f]);
            var actual = preprocessor.Normalize([preprocessor.Resize(TestImages.Read(SharedFiles.Golden($"input_{name}.png")))])[0];
            var difference = (actual - expected).abs();
            difference.max().ToSingle().Should().BeLessThan(0.032f, name);
            ((double)difference.lt(1e-4).sum().ToInt64() / difference.numel()).Should().BeGreaterThan(0.999, name);
        }
    }
}
