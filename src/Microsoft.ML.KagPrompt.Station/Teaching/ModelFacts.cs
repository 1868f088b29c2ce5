using Microsoft.ML.KagPrompt.Reporting;
using Microsoft.ML.KagPrompt.Station.Pictures;
using Microsoft.ML.KagPrompt.Station.Storage;

namespace Microsoft.ML.KagPrompt.Station.Teaching;

/// <summary>A photograph that was given, by its content.</summary>
/// <param name="Hash">SHA-256 of its file.</param>
/// <param name="Name">What its file was called; shown, and never a path.</param>
internal sealed record TeachingPhoto(string Hash, string Name, int Width, int Height);

/// <summary>What the station needs to know of a version of a model: what made it, and how its maps are drawn.</summary>
internal sealed record ModelFacts
{
    public required IReadOnlyList<TeachingPhoto> Photographs { get; init; }

    /// <summary>Pictures of parts that were missed; they place the threshold.</summary>
    public IReadOnlyList<TeachingPhoto> Defects { get; init; } = [];

    /// <summary>Polygons of what is inspected, points in shares of the sides; none: all of it.</summary>
    public IReadOnlyList<IReadOnlyList<double[]>> Inspect { get; init; } = [];

    public required float Threshold { get; init; }

    public required float MapLow { get; init; }

    public required float MapHigh { get; init; }

    public required float MapThreshold { get; init; }

    /// <summary>Of each teaching photograph.</summary>
    public IReadOnlyList<PictureMeasure> Measures { get; init; } = [];

    [System.Text.Json.Serialization.JsonIgnore]
    public MapScale Scale => MapScale.Between(MapLow, MapHigh, MapThreshold);

    public static ModelFacts From(ThresholdCalibration calibration, IReadOnlyList<TeachingPhoto> photographs)
    {
        var scale = MapScale.ForCalibration(calibration);
        return new()
        {
            Photographs = photographs,
            Threshold = calibration.Threshold,
            MapLow = scale.Low,
            MapHigh = scale.High,
            MapThreshold = scale.Threshold,
        };
    }
}

/// <summary>Keeps them by product and version.</summary>
internal sealed class FactsStore(StationOptions options)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string, string), ModelFacts> known = new();

    /// <summary>Product and version are names that the registry took.</summary>
    public void Write(string product, string version, ModelFacts facts)
    {
        JsonFiles.Write(PathOf(product, version), facts);
        known[(product, version)] = facts;
    }

    /// <summary>Null: the version was published by somebody else.</summary>
    public ModelFacts? Find(string product, string? version)
    {
        if (!IsName(product) || !IsName(version))
        {
            return null;
        }

        if (known.TryGetValue((product, version!), out var facts))
        {
            return facts;
        }

        return JsonFiles.Read<ModelFacts>(PathOf(product, version!)) is { } read ? known.GetOrAdd((product, version!), read) : null;
    }

    // Results may come from elsewhere (POST /api/results): what they call a product or a version is not taken as a path unless it is a
    // name.
    private static bool IsName(string? name) => name is { Length: > 0 and <= 64 } && name[0] != '.' && name[^1] != '.'
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');

    private string PathOf(string product, string version) => options.PathTo("facts", product, version + ".json");
}
