using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Published;

/// <summary>
/// A directory that the converter made: manifest, towers as safetensors, vocabulary. Every file's content is checked as it is read.
/// </summary>
internal sealed class ConvertedBackbone : IBackboneSource
{
    private readonly string directory;

    private ConvertedBackbone(string directory, BackboneManifest manifest) => (this.directory, Manifest) = (directory, manifest);

    public BackboneManifest Manifest { get; }

    public string Name => Manifest.Name;

    public string? Location => directory;

    public bool HasText => Manifest.TextConfiguration is not null && Manifest.Text is not null;

    public long VisionValues => VisionTransformer.Shapes(Manifest.VisionConfiguration).Values
        .Sum(shape => shape.Aggregate(1L, (product, size) => product * size));

    public static bool IsOne(string directory) => File.Exists(Path.Combine(directory, BackboneManifest.FileName));

    /// <exception cref="CheckpointFormatException">The manifest is damaged or of another version.</exception>
    public static ConvertedBackbone Open(string directory) => new(directory, BackboneManifest.Read(directory));

    public IVisionTower LoadVision(torch.ScalarType type, bool roundToHalf, IReadOnlyList<int>? taps = null)
    {
        var config = Manifest.VisionConfiguration.Tapped(taps);
        return Verified(Manifest.Vision,
            file => new VisionTransformer(config, WeightSet.Read(VisionTransformer.Shapes(config), file, type, roundToHalf)));
    }

    public VisionReference? Reference() => Manifest.Vision;

    public TextSide? LoadText()
    {
        if (Manifest.TextConfiguration is not { } config || Manifest.Text is not { } reference)
        {
            return null;
        }

        var tokenizer = ClipVocabulary.Beside(Path.Combine(directory, BackboneManifest.FileName), config);
        return Verified(reference,
            file => new TextSide(new TextTransformer(config, WeightSet.Read(TextTransformer.Shapes(config), file)), tokenizer));
    }

    /// <summary>Holds every file against the manifest's hash.</summary>
    /// <exception cref="CheckpointFormatException">One is missing or of another content.</exception>
    public void CheckContent()
    {
        foreach (var file in new[] { Manifest.Vision, Manifest.Text }.OfType<VisionReference>())
        {
            FileHash.Check(PathOf(file), file.Sha256);
        }
    }

    private string PathOf(VisionReference reference)
    {
        var path = Path.Combine(directory, reference.FileName);
        if (!File.Exists(path))
        {
            throw new CheckpointFormatException($"{directory}: '{reference.FileName}' is missing. "
                + "Copy the whole directory, or convert the backbone again.");
        }

        // Before it is opened: a link to a device would be hashed without end.
        var length = SmallFile.LengthOf(path);
        return length == reference.Length && length > 0 ? path
            : throw new CheckpointFormatException($"{path} was changed or damaged: expected {reference.Length} bytes, got {length}. "
                + "Convert or copy the file again.");
    }

    private T Verified<T>(VisionReference reference, Func<ITensorSource, T> read) where T : class, IDisposable
        => FileHash.Verified(PathOf(reference), reference.Sha256, read);
}
