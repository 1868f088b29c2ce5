using Orleans.Concurrency;

namespace Microsoft.ML.KagPrompt.Orleans.Lines;

/// <summary>What is asked of the plant as a whole; any silo answers.</summary>
[Alias("kagprompt.plant")]
internal interface IPlantGrain : IGrainWithIntegerKey
{
    [Alias("silos")]
    Task<SiloStatus[]> GetSilosAsync();
}

/// <inheritdoc/>
[StatelessWorker]
internal sealed class PlantGrain(Silos.SiloBoard board, Silos.SiloWatch watch) : Grain, IPlantGrain
{
    public async Task<SiloStatus[]> GetSilosAsync()
    {
        await watch.LookAsync();
        return [.. board.Statuses().Values.OrderBy(silo => silo.Silo, StringComparer.Ordinal)];
    }
}
