using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>What <c>services.AddKagPrompt</c> is completed by.</summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class KagPromptBuilder
{
    internal KagPromptBuilder(IServiceCollection services) => Services = services;

    /// <summary>The services that are being put together.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Adds a kind of model files: <c>KagPromptModelLoader</c> for zips (package Microsoft.ML.KagPrompt), <c>OnnxModelLoader</c> for
    /// exported files (package Microsoft.ML.KagPrompt.Onnx). A file goes to the first loader that reads what it begins with.
    /// </summary>
    /// <param name="loader">The loader.</param>
    public KagPromptBuilder AddLoader(IInspectionModelLoader loader)
    {
        ArgumentNullException.ThrowIfNull(loader);
        Services.AddSingleton(loader);
        return this;
    }

    /// <summary>Serves what is active in a registry in a folder, and follows its changes.</summary>
    /// <param name="folder">The folder; it is made where there is none.</param>
    public KagPromptBuilder AddRegistry(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return AddRegistry(provider =>
        {
            Directory.CreateDirectory(folder);
            return new FolderModelRegistry(folder, provider.GetRequiredService<TimeProvider>());
        });
    }

    /// <summary>The same of a registry of another kind.</summary>
    /// <param name="create">Makes it, once.</param>
    public KagPromptBuilder AddRegistry(Func<IServiceProvider, IModelRegistry> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        Services.AddSingleton(create);
        return this;
    }
}
