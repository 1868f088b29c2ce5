using System.Reflection;
using Microsoft.ML.KagPrompt.Orleans.Lines;
using Microsoft.ML.KagPrompt.Results;

namespace Microsoft.ML.KagPrompt.Orleans.Tests;

public class LineCounterTests
{
    [Fact]
    public async Task CountAsync_AnswersComeWhileTheDatabaseCounts_AreAdded()
    {
        var now = DateTimeOffset.UtcNow;
        var state = new LineState { Total = new LineCounts().Plus(7, 1, 0) };
        // The database knows ten; of two that come while it counts one is rejected.
        var store = StoreOf(() =>
        {
            state.Total = state.Total.Plus(2, 1, 0);
            return [new(new(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero), 10, 3, 1)];
        });

        (await new LineCounter(store, TimeProvider.System).CountAsync("line", state)).Should().BeTrue();

        state.Total.Should().Be(new LineCounts().Plus(12, 4, 1));
    }

    private static IResultStore StoreOf(Func<IReadOnlyList<HourlyCount>> count)
    {
        var store = DispatchProxy.Create<IResultStore, CountingStore>();
        ((CountingStore)store).Count = count;
        return store;
    }

    /// <summary>A database that does nothing but count, while something else goes on.</summary>
    public class CountingStore : DispatchProxy
    {
        internal Func<IReadOnlyList<HourlyCount>> Count { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
            => targetMethod!.Name == nameof(IResultStore.CountByHourAsync) ? Later() : throw new NotSupportedException(targetMethod.Name);

        private async Task<IReadOnlyList<HourlyCount>> Later()
        {
            await Task.Yield();
            return Count();
        }
    }
}
