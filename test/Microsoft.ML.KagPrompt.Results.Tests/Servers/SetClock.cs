using Microsoft.Extensions.Time.Testing;

namespace Microsoft.ML.KagPrompt.Results.Tests.Servers;

/// <summary>A machine's clock that somebody sets; how long the machine runs is no matter of that.</summary>
internal sealed class SetClock() : FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))
{
    /// <summary>How far it is ahead of the time.</summary>
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;

    public override long GetTimestamp() => base.GetUtcNow().UtcTicks;
}
