using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.KagPrompt.Station.Teaching;

namespace Microsoft.ML.KagPrompt.Station.Tests.Teaching;

public sealed class HeavyWorkTests : IAsyncLifetime
{
    private readonly HeavyWork work = new(NullLogger<HeavyWork>.Instance);

    public Task InitializeAsync() => work.StartAsync(default);

    public Task DisposeAsync() => work.StopAsync(default);

    [Fact]
    public async Task Start_WhileAnotherIsUnderWay_IsRefused_AndCancelEndsIt()
    {
        work.Start("a", "anna", (tell, stop) =>
        {
            tell("half", 1, 2);
            return Task.Delay(Timeout.Infinite, stop);
        });
        await Lines.LineBench.UntilAsync(() => work.State is { Phase: "half", Done: 1, Total: 2 });
        FluentActions.Invoking(() => work.Start("b", "bert", (_, _) => Task.CompletedTask)).Should().Throw<InvalidOperationException>()
            .WithMessage("anna*");
        work.Cancel();
        await Lines.LineBench.UntilAsync(() => work.State is { IsRunning: false });
        work.State!.IsCancelled.Should().BeTrue();
        work.State.Fault.Should().BeNull();
    }

    [Fact]
    public async Task Start_AfterOneThatFailed_HasItsTurn()
    {
        work.Start("a", "anna", (_, _) => throw new InvalidOperationException("Two photographs are not enough."));
        await Lines.LineBench.UntilAsync(() => work.State is { IsRunning: false });
        work.State!.Fault.Should().Be("Two photographs are not enough.");
        var ran = false;
        work.Start("b", "bert", (_, _) =>
        {
            ran = true;
            return Task.CompletedTask;
        });
        await Lines.LineBench.UntilAsync(() => ran && work.State is { IsRunning: false, Fault: null });
    }
}
