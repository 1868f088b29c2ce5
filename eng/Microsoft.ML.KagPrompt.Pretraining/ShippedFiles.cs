using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>The compact backbone's files that come with the library, in a folder: backbone, merges, graph prompt.</summary>
internal sealed class ShippedFiles(string folder) : IBackboneFiles
{
    public const string Backbone = "compact.safetensors";
    public const string Merges = "compact.merges.txt";

    public string Name => BackboneSources.Compact;

    IVisionTower IBackboneFiles.Vision() => Vision();

    public CompactVisionTower Vision()
    {
        using var source = SafetensorsFile.Open(Path.Combine(folder, Backbone));
        return CompactBackbone.ReadVision(source);
    }

    public TextSide Text()
    {
        using var merges = File.OpenRead(Path.Combine(folder, Merges));
        var tokenizer = BytePairTokenizer.FromMerges(merges, CompactBackbone.ContextLength);
        using var source = SafetensorsFile.Open(Path.Combine(folder, Backbone));
        return new TextSide(CompactBackbone.ReadText(source), tokenizer);
    }

    /// <summary>Writes the backbone and its merges to another folder, some of its tensors replaced by others, in 16 bit.</summary>
    public void WriteChanged(string output, IReadOnlyDictionary<string, Tensor> replaced)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var source = SafetensorsFile.Open(Path.Combine(folder, Backbone));
        var tensors = source.Entries.Keys.ToDictionary(name => name, name => replaced.TryGetValue(name, out var tensor) ? tensor.to_type(ScalarType.Float16).cpu() : source.Read(name));
        Directory.CreateDirectory(output);
        using (var file = File.Create(Path.Combine(output, Backbone)))
        {
            SafetensorsWriter.Write(file, tensors, source.Metadata);
        }

        File.Copy(Path.Combine(folder, Merges), Path.Combine(output, Merges), overwrite: true);
    }

    public static GraphPrompt ReadPrompt(GraphPromptConfig config, string path)
    {
        using var source = SafetensorsFile.Open(path);
        return GraphPrompt.Read(config, source);
    }

    public static void WritePrompt(GraphPrompt prompt, string path) => WritePrompt(prompt.Weights, path);

    /// <summary>In 16 bit.</summary>
    public static void WritePrompt(IReadOnlyDictionary<string, Tensor> weights, string path)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using (var file = File.Create(path + ".new"))
        {
            SafetensorsWriter.Write(file, weights.ToDictionary(entry => entry.Key, entry => entry.Value.detach().to_type(ScalarType.Float16)),
                new Dictionary<string, string> { ["licence"] = "MIT; trained on rendered images, see docs/explanation/compact-backbone.md" });
        }

        File.Move(path + ".new", path, overwrite: true);
    }
}
