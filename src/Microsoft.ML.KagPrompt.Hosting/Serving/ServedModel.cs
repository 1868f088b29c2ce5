namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>A loaded model with its version. Owns the model; who uses it borrows it (<see cref="Numerics.Shared{T}"/>).</summary>
internal sealed class ServedModel(IInspectionModel model, string version) : IDisposable
{
    public IInspectionModel Model => model;

    public string Version => version;

    /// <summary>Places for batches. Not disposed: it has no handle, and a queue may wait for a place of a model whose callers all left.</summary>
    public SemaphoreSlim Places { get; } = new(model.ConcurrentBatches);

    public void Dispose() => model.Dispose();
}
