namespace Microsoft.ML.KagPrompt.Station.Storage;

/// <summary>Lets one through at a time: <c>using var taken = await gate.TakeAsync();</c></summary>
internal sealed class OneAtATime
{
    private readonly SemaphoreSlim gate = new(1, 1);

    public async Task<IDisposable> TakeAsync()
    {
        await gate.WaitAsync();
        return new Taken(gate);
    }

    private sealed class Taken(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
