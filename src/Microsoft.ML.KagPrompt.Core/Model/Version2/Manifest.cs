namespace Microsoft.ML.KagPrompt.Model.Version2;

/// <summary>A model's manifest as version 0.1.0 wrote it: flat options, and no hashes.</summary>
internal sealed record Manifest
{
    public required ModelManifest.BackboneEntry Backbone { get; init; }

    public ModelManifest.BackboneEntry? MemoryBackbone { get; init; }

    public required FlatOptions Options { get; init; }

    public required bool HasPrompt { get; init; }

    public required IReadOnlyList<ModelManifest.ClassEntry> Classes { get; init; }

    /// <summary>The same in today's arrangement.</summary>
    public ModelManifest ToCurrent() => new()
    {
        Format = ModelManifest.FormatName,
        Version = 2,
        Backbone = Backbone,
        MemoryBackbone = MemoryBackbone,
        Options = Options.ToCurrent(),
        HasPrompt = HasPrompt,
        Classes = Classes,
    };
}
