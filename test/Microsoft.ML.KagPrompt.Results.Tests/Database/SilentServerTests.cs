using System.Net;
using System.Net.Sockets;
using Microsoft.ML.KagPrompt.Results.Database;

namespace Microsoft.ML.KagPrompt.Results.Tests.Database;

public class SilentServerTests
{
    [Fact]
    public async Task OpenAsync_ManyAtOnceOfAServerThatIsSilent_WaitForOneTry()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var port = ((IPEndPoint)server.LocalEndpoint).Port;
        using var database = new ResultDatabase(new KagPromptResultsOptions
        {
            Folder = "results",
            PostgresConnectionString = $"Host=127.0.0.1;Port={port};Username=me;Database=none;Timeout=1;SSL Mode=Disable;Pooling=false",
        }, TimeProvider.System);

        var opening = Enumerable.Range(0, 4).Select(_ => database.OpenAsync(CancellationToken.None)).ToArray();
        foreach (var one in opening)
        {
            await FluentActions.Awaiting(() => one).Should().ThrowAsync<Exception>();
        }

        var seen = 0;
        for (; server.Pending(); seen++)
        {
            server.AcceptTcpClient().Dispose();
        }

        seen.Should().Be(1, "each try would have been one connection");
        await FluentActions.Awaiting(() => database.OpenAsync(CancellationToken.None)).Should().ThrowAsync<Exception>("it is tried again");
        server.Pending().Should().BeTrue();
    }
}
