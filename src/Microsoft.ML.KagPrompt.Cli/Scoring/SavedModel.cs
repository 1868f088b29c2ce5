using System.Globalization;
using System.IO.Compression;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Model zips, loaded with a reason in words where they cannot be, and saved whole or not at all.</summary>
internal static class SavedModel
{
    /// <summary>A model's zip takes no less: its prompt and memory bank, with the smallest images.</summary>
    public const long LeastBytes = 4 << 20;

    private const string ModelEntry = "KagPrompt.safetensors";

    /// <exception cref="KagPromptException">It is no model zip, is damaged, or needs a backbone that is not found.</exception>
    public static ITransformer Load(string zip, string device) => Load(zip, device, out _);

    /// <summary>The same, with the schema the model was saved with.</summary>
    public static ITransformer Load(string zip, string device, out DataViewSchema schema)
    {
        var ml = Context(device);
        if (!File.Exists(zip))
        {
            throw new FileNotFoundException($"There is no model '{zip}': expected a zip that 'kagprompt fit' or "
                + "mlContext.Model.Save wrote.", zip);
        }

        try
        {
            return ml.Model.Load(zip, out schema);
        }
        catch (Exception fault) when (fault is not (UnauthorizedAccessException or OperationCanceledException
            or (IOException and not EndOfStreamException)))
        {
            // ML.NET wraps what the library says; and what its own reader stumbles over in a damaged zip may be of any kind.
            var causes = Causes(fault).ToArray();
            var told = causes.OfType<KagPromptException>().FirstOrDefault()?.Message;
            throw new ModelFormatException(told?.Contains(zip, StringComparison.Ordinal) == false ? $"'{zip}': {told}" : told
                ?? (IsOne(zip)
                    ? $"'{zip}' could not be loaded: {causes[^1].Message}"
                    : $"'{zip}' is no model zip: expected what 'kagprompt fit' or mlContext.Model.Save writes. {fault.Message}"), fault);
        }
    }

    /// <summary>Whether a file is a zip with a model of this library in it, alone or in a pipeline.</summary>
    public static bool IsOne(string path)
    {
        try
        {
            using var zip = ZipFile.OpenRead(path);
            return EntryOf(zip) is not null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>The entry that holds the model's manifest and tensors; null: there is none.</summary>
    public static ZipArchiveEntry? EntryOf(ZipArchive zip) => zip.Entries.FirstOrDefault(entry => entry.Name == ModelEntry);

    /// <summary>The bytes a model takes, or one made from it at least; nothing where there is none.</summary>
    public static long Size(string zip) => File.Exists(zip) ? new FileInfo(zip).Length : 0;

    /// <summary>A model there already stays as it was until the new one is whole.</summary>
    public static void Save(ITransformer transformer, DataViewSchema schema, string zip)
        => WholeFile.Write(zip, stream => Context("cpu").Model.Save(transformer, schema, stream));

    private static IEnumerable<Exception> Causes(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }

    /// <summary>A loaded model goes where its context says: the GPU named, or none for "cpu".</summary>
    private static MLContext Context(string device) => device == "auto" ? new(seed: 1) : new(seed: 1)
    {
        GpuDeviceId = device.StartsWith("cuda:", StringComparison.Ordinal)
            && int.TryParse(device.AsSpan(5), CultureInfo.InvariantCulture, out var index)
            ? index
            : device == "cuda" ? 0 : -1,
        FallbackToCpu = device == "cpu",
    };
}
