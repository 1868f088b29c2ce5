using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML;

/// <summary>Model zips that appear whole or not at all: <c>mlContext.Model.SaveAtomic(...)</c>.</summary>
public static class ModelOperationsCatalogExtensions
{
    /// <summary>
    /// As <c>Save</c>, but the zip appears whole or not at all: it is written beside its place, brought to the disk and then moved there.
    /// What lay there before stays until then, and when the process is killed meanwhile, where <c>Save</c> leaves half a file.
    /// </summary>
    /// <param name="catalog">The model catalog.</param>
    /// <param name="model">Any fitted transformer.</param>
    /// <param name="inputSchema">The schema of the rows it was fitted on, or null.</param>
    /// <param name="filePath">The zip; its folder is made where there is none.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void SaveAtomic(this ModelOperationsCatalog catalog, ITransformer model, DataViewSchema? inputSchema, string filePath)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        WholeFile.Write(filePath, stream => catalog.Save(model, inputSchema, stream));
    }
}
