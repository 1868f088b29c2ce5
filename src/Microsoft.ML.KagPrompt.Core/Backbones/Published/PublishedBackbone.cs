using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Published;

/// <summary>
/// A checkpoint as its authors published it, read in place. Vocabulary and configuration are taken from beside it where they are.
/// </summary>
internal sealed class PublishedBackbone : IBackboneSource
{
    /// <summary>What model repositories call their weights, best first.</summary>
    private static readonly string[] UsualNames =
        ["open_clip_model.safetensors", "open_clip_pytorch_model.bin", "model.safetensors", "model.safetensors.index.json",
            "pytorch_model.bin"];

    private readonly string path;
    private readonly Lazy<VisionReference> reference;

    private PublishedBackbone(string path, BackboneLayout layout)
    {
        (this.path, Layout) = (path, layout);
        reference = new(() => path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? throw new KagPromptException($"'{path}' is an index of several files, and a model refers to one. "
                + "Convert the backbone first (BackboneConverter), or set Backbone.Storage to Embed.")
            : new VisionReference(Path.GetFileName(path), SmallFile.LengthOf(path), FileHash.Compute(path)));
    }

    public BackboneLayout Layout { get; }

    public string Name => Layout.Name;

    public string? Location => path;

    public bool HasText => Layout.Text is not null;

    public long VisionValues => Layout.VisionRules.Sum(rule => rule.Shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>Recognises a file.</summary>
    /// <exception cref="CheckpointFormatException">It holds no weights, or is damaged.</exception>
    /// <exception cref="CheckpointMismatchException">It is of no known family, or not whole.</exception>
    public static PublishedBackbone Open(string path) => Open(path, ConfigurationHints.Beside(path));

    /// <summary>As the other, with what names and shapes do not tell.</summary>
    public static PublishedBackbone Open(string path, LayoutHints hints)
    {
        // Devices and pipes tell a length of 0; a pipe would not return from being opened.
        if (SmallFile.LengthOf(path) == 0)
        {
            throw new CheckpointFormatException($"{path} is empty, or no regular file: expected a file of weights. Fetch it again.");
        }

        using var source = CheckpointFile.Open(path);
        return new PublishedBackbone(path, KnownLayouts.Recognise(source, hints));
    }

    /// <summary>A model repository's directory: the weights under one of the usual names.</summary>
    /// <exception cref="ArgumentException">There is none, or several files to choose from.</exception>
    public static PublishedBackbone OpenDirectory(string directory) => Open(FileIn(directory));

    /// <summary>The file of weights in a model repository's directory.</summary>
    /// <exception cref="ArgumentException">There is none, or several files to choose from.</exception>
    public static string FileIn(string directory)
    {
        var usual = UsualNames.Select(name => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
        string[] single = usual is null
            ? [.. Directory.EnumerateFiles(directory).Where(file => Path.GetExtension(file) is ".safetensors" or ".pth" or ".pt" or ".bin")]
            : [usual];
        return single.Length == 1 ? single[0]
            : throw new ArgumentException($"Backbone: directory '{directory}': expected one file of weights "
                + $"({string.Join(", ", UsualNames)}, or a single .safetensors, .pth, .pt or .bin), got {single.Length}. Name the file.");
    }

    public IVisionTower LoadVision(torch.ScalarType type, bool roundToHalf, IReadOnlyList<int>? taps = null)
    {
        var config = Layout.Vision.Tapped(taps);
        using var source = CheckpointFile.Open(path);
        return new VisionTransformer(config,
            WeightSet.Read(VisionTransformer.Shapes(config), new MappedTensors(source, Layout.VisionRules), type, roundToHalf));
    }

    public VisionReference? Reference() => reference.Value;

    public TextSide? LoadText()
    {
        if (Layout.Text is null)
        {
            return null;
        }

        var tokenizer = ClipVocabulary.Beside(path, Layout.Text);
        using var source = CheckpointFile.Open(path);
        return new TextSide(new TextTransformer(Layout.Text,
            WeightSet.Read(TextTransformer.Shapes(Layout.Text), new MappedTensors(source, Layout.TextRules))), tokenizer);
    }
}
