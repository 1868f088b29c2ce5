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
        try
        {
            return KagPromptTransformer.FindIn(loaded);
        }
        catch (ArgumentException fault)
        {
            (loaded as IDisposable)?.Dispose();
            throw new ArgumentException($"InitialModelPath '{path}': {fault.Message}", fault);
        }
    }
}
