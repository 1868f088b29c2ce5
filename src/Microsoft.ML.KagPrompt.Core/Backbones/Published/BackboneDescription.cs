using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Model.Version2;

namespace Microsoft.ML.KagPrompt;

/// <summary>What a backbone is and can do, told without loading it.</summary>
public sealed record BackboneDescription
{
    /// <summary>Preset or family and sizes.</summary>
    public required string Name { get; init; }

    /// <summary>ImageBind, OpenCLIP, CLIP, DINOv2, ResNet or Compact.</summary>
    public required string Family { get; init; }

    /// <summary>Under what terms its weights were published.</summary>
    public required string Licence { get; init; }

    /// <summary>Values of the vision tower.</summary>
    public required long VisionParameters { get; init; }

    /// <summary>Values of the text tower; 0 where there is none.</summary>
    public required long TextParameters { get; init; }

    /// <summary>Width, depth and the like of the vision tower.</summary>
    public required string VisionSizes { get; init; }

    /// <summary>Side of the images in pixels it was trained at.</summary>
    public required int ImageSize { get; init; }

    /// <summary>An image's side must be a multiple of it.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Whether graph prompts can be trained on it: it has a text side.</summary>
    public required bool HasText { get; init; }

    /// <summary>Whether the vocabulary its text side needs is beside it; true where none is needed.</summary>
    public required bool HasVocabulary { get; init; }

    /// <summary>SHA-256 of the file that holds the vision tower; null for the embedded backbone.</summary>
    public required string? Sha256 { get; init; }

    /// <summary>
    /// Describes an embedded one ("resnet18", "compact"), a checkpoint's file or directory, or a converted directory.
    /// Hashes what it reads, and holds a converted directory against its manifest.
    /// </summary>
    /// <param name="path">Its name or place.</param>
    /// <exception cref="ArgumentException">There is no such backbone.</exception>
    /// <exception cref="CheckpointFormatException">It is damaged.</exception>
    /// <exception cref="CheckpointMismatchException">It is of no known family.</exception>
    public static BackboneDescription Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var source = BackboneSources.Open(path, []);
        (source as ConvertedBackbone)?.CheckContent();
        return source switch
        {
            ConvertedBackbone converted => From(converted),
            PublishedBackbone published => From(published.Layout.Name, published.Layout.Family, published.Layout.Licence,
                published.Layout.Vision, published.Layout.Text,
                Path.GetDirectoryName(Path.GetFullPath(published.Location!))!, published.Reference()!.Sha256),
            ResNetCheckpoint residual => residual.Describe(),
            IEmbeddedBackbone embedded => embedded.Describe(),
            _ => throw new NotSupportedException($"Backbone '{source.Name}' has no description."),
        };
    }

    /// <summary>What a converted directory's manifest says.</summary>
    internal static BackboneDescription From(ConvertedBackbone converted)
        => From(converted.Manifest.Name, converted.Manifest.Family, converted.Manifest.Licence, converted.Manifest.VisionConfiguration,
            converted.Manifest.TextConfiguration, converted.Location!, converted.Manifest.Vision.Sha256);

    private static BackboneDescription From(string name, string family, string licence, VisionTransformerConfig vision,
        TextTransformerConfig? text, string folder, string sha256) => new()
    {
        Name = name,
        Family = family,
        Licence = licence,
        VisionParameters = Count(VisionTransformer.Shapes(vision)),
        TextParameters = text is null ? 0 : Count(TextTransformer.Shapes(text)),
        VisionSizes = $"{vision.Depth} blocks of width {vision.Width}, {vision.Heads} heads, "
            + $"patch {vision.PatchSize}{(vision.Registers > 0 ? $", {vision.Registers} registers" : "")}",
        ImageSize = vision.ImageSize,
        PatchSize = vision.PatchSize,
        HasText = text is not null,
        HasVocabulary = text is null || ClipVocabulary.FilesIn(folder).Count > 0,
        Sha256 = sha256,
    };

    private static long Count(IReadOnlyDictionary<string, long[]> shapes)
        => shapes.Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size));
}
