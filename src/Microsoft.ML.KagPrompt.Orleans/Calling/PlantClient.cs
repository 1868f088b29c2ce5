using Microsoft.ML.KagPrompt.Orleans.Lines;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Microsoft.ML.KagPrompt.Orleans.Calling;

/// <summary>Calls grains, again where a machine or the network leaves a call open.</summary>
internal sealed class PlantClient : IPlantClient
{
    private const int MostOfALine = 100;

    private readonly IGrainFactory grains;
    private readonly PlantClientOptions options;
    private readonly ResiliencePipeline again;

    public PlantClient(IGrainFactory grains, PlantClientOptions options, TimeProvider time)
    {
        (this.grains, this.options) = (grains, options);
        again = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(options.Timeout)
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = TimeSpan.FromTicks(Math.Max(options.RetryDelay.Ticks, TimeSpan.FromSeconds(5).Ticks)),
                ShouldHandle = args => ValueTask.FromResult(IsOpen(args.Outcome.Exception)
                    && !args.Context.CancellationToken.IsCancellationRequested),
            })
            .AddTimeout(options.TryTimeout)
            .Build();
    }

    public Task SetUpLineAsync(string line, LineSettings settings, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        var grain = Line(line);
        return CallAsync(async _ =>
        {
            await grain.SetUpAsync(settings);
            return true;
        }, $"line '{line}'", cancellationToken);
    }

    public async Task<PlantAnswer> InspectAsync(string line, PictureReference picture, Guid id,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        if (id.Version != 7)
        {
            throw new ArgumentException($"Id: expected a version 7 GUID (InspectionRecord.NewId()), got {id}.", nameof(id));
        }

        if (picture.Sha256 is not { Length: 64 } hash || hash.AsSpan().ContainsAnyExcept("0123456789abcdef"))
        {
            throw new ArgumentException("Picture: expected 64 hexadecimal digits in small letters.", nameof(picture));
        }

        var grain = Line(line);
        return await CallAsync(async isAgain => (await grain.InspectAsync(picture, id, isAgain)).Unwrap(), $"line '{line}'",
            cancellationToken).ConfigureAwait(false);
    }

    public Task<LineStatus> GetLineAsync(string line, bool recount = false, CancellationToken cancellationToken = default)
    {
        var grain = Line(line);
        return CallAsync(_ => grain.GetStatusAsync(recount), $"line '{line}'", cancellationToken);
    }

    public async Task<IReadOnlyList<SiloStatus>> GetSilosAsync(CancellationToken cancellationToken = default)
        => await CallAsync(_ => grains.GetGrain<IPlantGrain>(0).GetSilosAsync(), "the plant", cancellationToken).ConfigureAwait(false);

    private ILineGrain Line(string line)
    {
        PlantName.Require(line, MostOfALine, nameof(line));
        return grains.GetGrain<ILineGrain>(line);
    }

    private async Task<T> CallAsync<T>(Func<bool, Task<T>> call, string whom, CancellationToken cancellationToken)
    {
        var tries = 0;
        try
        {
            return await again.ExecuteAsync(async token => await call(tries++ > 0).WaitAsync(token).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (IsOpen(fault) && fault is not PlantException)
        {
            throw new PlantException(PlantFault.Unreachable, FormattableString.Invariant(
                $"No answer of {whom} in {tries} tries within {options.Timeout.TotalSeconds:0.###} s: {fault.Message} ")
                + "Ask again with the same id.", fault);
        }
    }

    /// <summary>Whether nobody knows what came of the call.</summary>
    private static bool IsOpen(Exception? fault) => fault is OrleansException or TimeoutException or TimeoutRejectedException
        or PlantException { Fault: PlantFault.Unreachable };
}
