using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>What the results of all cells depend on, beside their own images: told in a text that is compared as a whole.</summary>
internal sealed class CellSettings
{
    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    private readonly FewShotConfiguration own;
    private readonly string common;

    public CellSettings(InspectionOptions options, FewShotProtocol protocol, KagPromptModel? initial)
    {
        own = FewShotConfiguration.From(options);
        common = JsonSerializer.Serialize(new
        {
            // Devices compute alike but for the last digits; seeds are the draws'.
            Options = options with { Device = "auto", Seed = null },
            Backbone = Stamp(options.Backbone.Name, options.Backbone.Folders),
            MemoryBackbone = options.Backbone.MemoryName is { } memory ? Stamp(memory, options.Backbone.Folders) : null,
            Checkpoint = options.Method.Files is { Count: > 0 } files ? string.Join(' ', files.Select(FileStamps.Compute)) : null,
            Draw = protocol.SupportDraw,
            TrainedOn = protocol.TrainOn is { } elsewhere ? FileStamps.Compute(Product.NormalOf(elsewhere.Images)) : null,
            Initial = initial?.Sha256(),
            // Of the library's contents, its weights included: builds of one version may differ in them.
            Library = typeof(InspectionOptions).Assembly.ManifestModule.ModuleVersionId,
        }, Json);
    }

    /// <summary>The text for a product's cells.</summary>
    /// <param name="images">Of the product's images, what <see cref="FileStamps"/> says.</param>
    /// <param name="configuration">The cell's.</param>
    public string For(string images, FewShotConfiguration configuration)
        => $"{images} {common}{(configuration == own ? "" : JsonSerializer.Serialize(configuration, Json))}";

    private static string Stamp(string backbone, IReadOnlyList<string> folders)
        => FileStamps.Compute(folders.Select(folder => Path.Combine(folder, backbone)).FirstOrDefault(Path.Exists) ?? backbone);
}
