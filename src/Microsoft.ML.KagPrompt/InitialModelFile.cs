using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>A model zip as a starting point.</summary>
internal static class InitialModelFile
{
    /// <summary>The one KAG transformer of a zip. The caller disposes it.</summary>
    public static KagPromptTransformer Load(IHostEnvironment environment, string path)
    {
        using var file = File.OpenRead(path);
        var loaded = new ModelOperationsCatalog(environment).Load(file, out _);
        var found = Transformers(loaded).OfType<KagPromptTransformer>().ToArray();
        if (found.Length == 1)
        {
            return found[0];
        }

        (loaded as IDisposable)?.Dispose();
        throw new ArgumentException($"InitialModelPath '{path}': expected one fitted DetectAnomaliesKag in the model, got {found.Length}.");
    }

    private static IEnumerable<ITransformer> Transformers(ITransformer transformer)
        => transformer is IEnumerable<ITransformer> chain ? chain.SelectMany(Transformers) : [transformer];
}
