using System.Globalization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Model zips, loaded with a reason in words where they cannot be, and saved whole or not at all.</summary>
internal static class SavedModel
{
    /// <exception cref="KagPromptException">It is no model zip, is damaged, or needs a backbone that is not found.</exception>
    public static ITransformer Load(string zip, string device)
    {
        var ml = Context(device);
        if (!File.Exists(zip))
        {
            throw new FileNotFoundException($"There is no model '{zip}': expected a zip that 'kagprompt fit' or mlContext.Model.Save wrote.", zip);
        }

        try
        {
            return ml.Model.Load(zip, out _);
        }
        catch (Exception fault) when (fault is not (KagPromptException or UnauthorizedAccessException or OperationCanceledException or IOException and not EndOfStreamException))
        {
            // ML.NET wraps what the library says; and what its own reader stumbles over in a damaged zip may be of any kind.
            var inner = Causes(fault).OfType<KagPromptException>().FirstOrDefault();
            throw new ModelFormatException(inner?.Message ?? $"'{zip}' is no model zip: expected what 'kagprompt fit' or mlContext.Model.Save writes. {fault.Message}", fault);
        }
    }

    /// <summary>A model there already stays as it was until the new one is whole.</summary>
    public static void Save(KagPromptTransformer transformer, DataViewSchema schema, string zip)
        => AtomicFile.Write(zip, stream => Context("cpu").Model.Save(transformer, schema, stream));

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
        GpuDeviceId = device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), CultureInfo.InvariantCulture, out var index) ? index : device == "cuda" ? 0 : -1,
        FallbackToCpu = device == "cpu",
    };
}
