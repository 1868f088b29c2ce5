using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model.Version2;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>What a saved model says of itself; the tensors lie beside it.</summary>
internal sealed record ModelManifest
{
    public const string FormatName = "kagprompt-model";

    public const int CurrentVersion = 3;

    /// <summary>The last version without hashes, which package 0.1.0 wrote.</summary>
    private const int VersionWithoutHashes = 2;

    /// <summary>The first package that reads <see cref="CurrentVersion"/>; an older one that knows of this field says so.</summary>
    private const string FirstPackage = "0.2.0";

    private const long LargestTower = 1L << 50;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // NaN thresholds exist: a class with nothing to compute one from.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
        MaxDepth = 16,
        // A stranger's manifest may name nothing where something is due.
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public required string Format { get; init; }

    public required int Version { get; init; }

    /// <summary>The first version of the package that reads this; null before there was such a field.</summary>
    public string? Package { get; init; } = FirstPackage;

    public required BackboneEntry Backbone { get; init; }

    /// <summary>The memory bank's own tower; null where it shares the other.</summary>
    public BackboneEntry? MemoryBackbone { get; init; }

    public required InspectionOptions Options { get; init; }

    public required bool HasPrompt { get; init; }

    public required IReadOnlyList<ClassEntry> Classes { get; init; }

    /// <summary>SHA-256 of every tensor's bytes by name, lower-case hexadecimal; null in a model of package 0.1.0.</summary>
    public IReadOnlyDictionary<string, string>? Tensors { get; init; }

    /// <summary>A vision tower: its sizes, and the file it is in where the model does not hold it.</summary>
    internal sealed record BackboneEntry(string Name, string Family, string Configuration, VisionReference? Reference = null);

    internal sealed record ClassEntry(string Name, ThresholdCalibration Calibration);

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>A calibration as manifests have it.</summary>
    public static string ToJson(ThresholdCalibration calibration) => JsonSerializer.Serialize(calibration, Json);

    /// <summary>Parses and checks everything that does not need the tensors.</summary>
    /// <param name="json">The manifest.</param>
    /// <param name="hash">The SHA-256 that was saved with it; null: none was.</param>
    /// <exception cref="ModelFormatException">It is damaged, or of a version that this library does not read.</exception>
    public static ModelManifest Parse(string json, string? hash)
    {
        if (hash is not null && !HashedText.Has(Encoding.UTF8.GetBytes(json), hash))
        {
            throw new ModelFormatException("The model's manifest was changed or damaged: its SHA-256 is another than when it was saved. "
                + "Save or copy the model again.");
        }

        // The version decides whether the rest can be understood at all.
        var header = Deserialize<Header>(json, Json);
        var manifest = (header.Format, header.Version, hash) switch
        {
            (FormatName, CurrentVersion, not null) => Deserialize<ModelManifest>(json, Json),
            (FormatName, VersionWithoutHashes, null) => Deserialize<Manifest>(json, FlatOptions.Json).ToCurrent(),
            (FormatName, CurrentVersion or VersionWithoutHashes, _) => throw new ModelFormatException(
                "The model is damaged: its manifest's version and hash do not belong together. Save or copy it again."),
            _ => throw OtherVersion(header),
        };
        manifest.Check();
        return manifest;
    }

    private void Check()
    {
        try
        {
            Options.Validate();
        }
        catch (ArgumentException fault)
        {
            throw new ModelFormatException($"The model's options are damaged. {fault.Message}", fault);
        }

        if (Version == CurrentVersion && Tensors is null)
        {
            throw new ModelFormatException("The model's manifest is damaged: it lists no tensors. Save or copy the model again.");
        }

        // Null entries of a list are not the JSON reader's to refuse.
        if (Classes.Count == 0 || Classes.Any(entry => entry is null) || Classes.DistinctBy(entry => entry.Name).Count() != Classes.Count)
        {
            throw new ModelFormatException($"The model lists {Classes.Count} class(es): expected at least one, each once.");
        }

        var faults = new OptionFaults();
        foreach (var entry in Classes)
        {
            entry.Calibration.ScoreModel?.CollectFaults(faults, $"class '{entry.Name}': {nameof(ThresholdCalibration.ScoreModel)}");
        }

        try
        {
            faults.ThrowIfAny(nameof(ThresholdCalibration));
        }
        catch (ArgumentException fault)
        {
            throw new ModelFormatException($"The model's calibration is damaged. {fault.Message} Save or copy the model again.", fault);
        }

        foreach (var reference in new[] { Backbone.Reference, MemoryBackbone?.Reference }.OfType<VisionReference>())
        {
            if (reference.Length is < 1 or > LargestTower || reference.Sha256.Length != 64 || !reference.Sha256.All(char.IsAsciiHexDigit))
            {
                throw new ModelFormatException("The model's reference to a backbone is damaged: expected a length and a SHA-256, "
                    + $"got {reference.Length} bytes and '{reference.Sha256}'.");
            }
        }
    }

    private static ModelFormatException OtherVersion(Header header)
    {
        var own = typeof(ModelManifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0];
        var remedy = header.Format == FormatName && header.Version > CurrentVersion
            ? "It was written by another version of this library, a newer one: "
                + $"it needs package {header.Package ?? "version later than this"}, and this is {own}. Update the package."
            : "It was written by another version of this library: load it with that version, or fit again.";
        return new ModelFormatException($"The model's format is '{header.Format}' version {header.Version}: "
            + $"expected '{FormatName}' version {VersionWithoutHashes} or {CurrentVersion}. {remedy}");
    }

    private static T Deserialize<T>(string json, JsonSerializerOptions options) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, options) ?? throw new JsonException("null");
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException or ArgumentException or InvalidOperationException
            or FormatException or OverflowException)
        {
            throw new ModelFormatException($"The model's manifest is damaged: {JsonFault.Describe(fault)} Save or fetch the model again.",
                fault);
        }
    }

    private sealed record Header(string? Format = null, int Version = 0, string? Package = null);
}
