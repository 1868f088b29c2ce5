using Orleans.Runtime.Services;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>The workers of all silos, by address.</summary>
internal sealed class SiloWorkers(IServiceProvider services) : GrainServiceClient<ISiloWorker>(services)
{
    public ISiloWorker At(SiloAddress silo) => GetGrainService(silo);
}
