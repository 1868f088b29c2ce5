using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>A folder of small backbones, and models on them that are saved and loaded again.</summary>
internal sealed class BackboneFiles : IDisposable
{
    public static readonly TrainingImage[] Parts =
        [.. Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(64, 60, i) })];

    private readonly DisposeScope scope = torch.NewDisposeScope();

    public BackboneFiles()
    {
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteSafetensors(In("dino.safetensors"), TinyBackbones.DinoV2(2));
        TinyBackbones.WriteVocabulary(Folder);
        Choices = new() { Backbone = In("clip.safetensors"), Epochs = 1, BatchSize = 4, Device = "cpu", Seed = 3 };
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("kagprompt-backbones-").FullName;

    /// <summary>For a quick fit on the folder's CLIP.</summary>
    public FitChoices Choices { get; }

    public static byte[] Save(KagPromptModel model)
    {
        using var stream = new MemoryStream();
        model.Save(stream);
        return stream.ToArray();
    }

    public static void ShouldAgree(KagPromptModel actual, KagPromptModel expected)
    {
        var queries = Enumerable.Range(0, 2).Select(i => TestImages.Part(70, 60, 40 + i, defective: i == 1)).ToArray();
        var (one, other) = (actual.Inspect(queries, [null, null]), expected.Inspect(queries, [null, null]));
        for (var i = 0; i < queries.Length; i++)
        {
            one[i].Score.Should().Be(other[i].Score);
            one[i].Map.AsSpan().SequenceEqual(other[i].Map).Should().BeTrue();
        }
    }

    public string In(string name) => Path.Combine(Folder, name);

    /// <summary>With the backbones' folder, unless others are given.</summary>
    public KagPromptModel Load(byte[] saved, params string[] folders)
        => KagPromptModel.Load(new MemoryStream(saved), "cpu", folders.Length > 0 ? folders : [Folder]);

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
