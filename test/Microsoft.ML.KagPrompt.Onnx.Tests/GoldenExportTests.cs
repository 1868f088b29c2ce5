using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>Models of the small checkpoints that the authors' code wrote: ImageBind's tower, and their prompt on it.</summary>
[Trait("Category", "Golden")]
public sealed class GoldenExportTests : IDisposable
{
    private const int Side = 112;

    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-onnx-golden-").FullName;

    public static TheoryData<string> Names => ["the tower's bank", "tiles", "the authors' prompt", "the authors' prompt and a region", "a prompt from scratch"];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Export_OfAuthorsCheckpoints_ScoresAsTheModel(string choice)
    {
        var options = Options(choice);
        using var model = KagPromptTrainer.Fit(Enumerable.Range(0, 3).Select(seed => new TrainingImage { Image = TestImages.Part(200, 160, seed), ClassName = "a" }), options);
        using var run = new OnnxRun(model);
        SameVerdicts.Check(model, run, null, QueryPictures.Of(model.MapSize));
    }

    [SkippableFact]
    public void Export_OfAuthorsPrompt_HasIt()
    {
        using var with = KagPromptTrainer.Fit([new TrainingImage { Image = TestImages.Part(Side, Side, 1) }], Options("the authors' prompt"));
        using var without = KagPromptTrainer.Fit([new TrainingImage { Image = TestImages.Part(Side, Side, 1) }], Options("the tower's bank"));
        using var run = new OnnxRun(with);
        var query = TestImages.Part(Side, Side, 8, defective: true);
        Math.Abs(run.Inspect(query)[0].Score - without.Inspect(query).Score).Should().BeGreaterThan(1e-3f, "else the rows above say nothing of the prompt");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private InspectionOptions Options(string choice)
    {
        var (backbone, prompt) = (SharedFiles.Golden("imagebind_tiny.pth"), SharedFiles.Golden("kag_released_tiny.pth"));
        using (var inputs = SafetensorsFile.Open(SharedFiles.Golden("imagebind_tiny_io.safetensors")))
        {
            // Numbers of heads are not in a checkpoint.
            File.WriteAllText(Path.Combine(folder, "config.json"),
                $$$"""{"vision_config":{"num_attention_heads":{{{inputs.Metadata["vision_heads"]}}}},"text_config":{"num_attention_heads":{{{inputs.Metadata["text_heads"]}}}}}""");
        }

        var tower = Path.Combine(folder, "imagebind_tiny.pth");
        File.Copy(backbone, tower, overwrite: true);
        File.Copy(SharedFiles.Weights("bpe_simple_vocab_16e6.txt.gz"), Path.Combine(folder, "bpe_simple_vocab_16e6.txt.gz"), overwrite: true);
        var untrained = new KagOptions { Training = new() { Epochs = 0 } };
        var released = untrained with { Prompt = new() { Variant = GraphVariant.Released, CheckpointPath = prompt } };
        return new()
        {
            Method = choice switch
            {
                "the authors' prompt" or "the authors' prompt and a region" => released,
                "a prompt from scratch" => new() { Prompt = new() { FromScratch = true, Iterations = 2 }, Training = new() { Epochs = 1, BatchSize = 2 } },
                _ => untrained,
            },
            Backbone = new() { Name = tower },
            Images = new() { Size = Side, Tiles = choice == "tiles" ? 2 : 1 },
            Regions = choice.EndsWith("region", StringComparison.Ordinal)
                ? new Dictionary<string, InspectionRegion> { ["a"] = InspectionRegion.FromShares([[(0.1, 0.1), (0.85, 0.2), (0.9, 0.9), (0.2, 0.8)]]) } : [],
            Device = "cpu",
            Seed = 1,
        };
    }
}
