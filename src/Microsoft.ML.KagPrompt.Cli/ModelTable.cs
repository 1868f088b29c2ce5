using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>A model zip's description, as lines and as JSON.</summary>
internal static class ModelTable
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads what a model says of itself.</summary>
    /// <exception cref="ModelFormatException">It is damaged, or of another version.</exception>
    public static ModelDescription Read(string path)
    {
        try
        {
            using var zip = ZipFile.OpenRead(path);
            using var stream = SavedModel.EntryOf(zip)!.Open();
            return ModelDescription.Read(stream);
        }
        catch (InvalidDataException fault)
        {
            throw new ModelFormatException($"The model zip '{path}' is damaged: {fault.Message} Save or copy it again.", fault);
        }
    }

    /// <summary>Names and values, in the order they are shown.</summary>
    public static IEnumerable<(string Name, string Value)> Lines(ModelDescription model, string path)
    {
        var options = model.Options;
        var kag = options.Method as KagOptions;
        yield return ("Model", string.Create(CultureInfo.InvariantCulture, $"{path} ({new FileInfo(path).Length / 1e6:0.0} MB), "
            + $"format {model.FormatVersion}"));
        yield return ("Classes", string.Join(", ", model.Classes.Select(each => each.Name)));
        yield return ("Backbone", model.Backbone + Place(model.BackboneFile));
        if (model.MemoryBackbone is { } memory)
        {
            yield return ("Memory backbone", memory + Place(model.MemoryBackboneFile));
        }

        var size = options.Images.Size is { } side
            ? string.Create(CultureInfo.InvariantCulture, $"{side} x {side} pixels")
            : "the backbone's own size";
        if (options.Images.Tiles > 1)
        {
            size += string.Create(CultureInfo.InvariantCulture, $" a tile, {options.Images.Tiles} x {options.Images.Tiles} tiles");
        }

        yield return ("Images", $"brought to {size} ({options.Images.ResizeMode}), computed in {options.Backbone.Precision}");
        if (kag is null)
        {
            yield return ("Method", InspectionMethods.NameOf(options.Method));
        }
        else
        {
            yield return ("Graph prompt", model.HasPrompt
                ? string.Create(CultureInfo.InvariantCulture, $"yes: variant {kag.Prompt.Variant}, {kag.Prompt.Iterations} iterations, "
                    + $"weight {kag.Fusion.Gamma}")
                : "none: the memory bank alone scores");
        }

        yield return ("Fitted with", string.Create(CultureInfo.InvariantCulture,
            $"{(kag is null ? "" : $"epochs {kag.Training.Epochs}{(kag.Prompt.FromScratch ? " from scratch" : "")}, ")}"
                + $"at most {options.Method.Memory.MaxSupportImages} support images, "
                + $"{(kag is null ? "" : $"top {kag.Fusion.TopK}, ")}threshold by {options.Threshold.By}, "
                + $"false rejects {options.Threshold.FalseRejectRate}, seed {options.Seed ?? 0}"));
        yield return ("Sizes", $"backbone {Megabytes(model.BackboneBytes)}, "
            + $"{(kag is null ? "method" : "graph prompt")} {Megabytes(model.PromptBytes)}, "
            + $"classes {Megabytes(model.Classes.Sum(each => each.Bytes))}, before compression");
        foreach (var each in model.Classes)
        {
            var region = options.Regions.TryGetValue(each.Name, out var drawn) ? $" Inspected: {drawn}." : "";
            yield return (each.Name, string.Create(CultureInfo.InvariantCulture,
                $"{each.Calibration.Explanation} Its memory bank holds {each.BankPatches} patches ({Megabytes(each.Bytes)}).{region}"));
        }
    }

    /// <summary>For programs. A number that is not known is left out.</summary>
    public static string Json(ModelDescription model, string path) => JsonSerializer.Serialize(new
    {
        Kind = "model",
        model.FormatVersion,
        FileBytes = new FileInfo(path).Length,
        model.Backbone,
        model.BackboneFile,
        model.MemoryBackbone,
        model.MemoryBackboneFile,
        Method = InspectionMethods.NameOf(model.Options.Method),
        model.HasPrompt,
        model.BackboneBytes,
        model.PromptBytes,
        Classes = model.Classes.Select(each => new
        {
            each.Name,
            Threshold = Known(each.Calibration.Threshold),
            MapThreshold = Known(each.Calibration.MapThreshold),
            each.Calibration.Method,
            each.Calibration.Explanation,
            FalseRejectRate = Known(each.Calibration.FalseRejectRate.Expected),
            FalseRejectRateLow = each.Calibration.FalseRejectRate.Low,
            FalseRejectRateHigh = each.Calibration.FalseRejectRate.High,
            SyntheticDefectsFound = Known(each.Calibration.SyntheticDefectsFound),
            each.Calibration.SupportImages,
            each.BankPatches,
            each.Bytes,
            each.Calibration.NormalScores,
            each.Calibration.AnomalousScores,
            each.Calibration.SyntheticScores,
            UnlikenessLimit = Known(each.Calibration.UnlikenessLimit),
            each.Calibration.Warnings,
            each.Calibration.FarthestSupport,
            Region = model.Options.Regions.GetValueOrDefault(each.Name) is { } region
                ? new { region.Width, region.Height, region.HasShape, region.Share }
                : null,
        }),
        Options = model.Options with { Regions = new Dictionary<string, InspectionRegion>() },
    }, Options);

    private static string Place(BackboneFile? file)
        => file is null
            ? ", in the model"
            : string.Create(CultureInfo.InvariantCulture, $", in the file {file.Name} ({file.Length / 1e6:0.0} MB, SHA-256 {file.Sha256})");

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    private static double? Known(double value) => double.IsFinite(value) ? value : null;
}
