using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Orleans.Tests.Servers;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Orleans.Tests;

[Collection(PostgresCollection.Name)]
public sealed class SiloLossTests(PostgresServer server)
{
    /// <summary>Lines are kept in memory: those that the silo kept are set up again, and know what was answered before.</summary>
    [Fact]
    public Task InspectAsync_ASiloStopsUnderLoad_EveryPictureIsAnsweredOnce() => LoseAsync(postgres: null, inOrder: true);

    /// <summary>Lines are kept in PostgreSQL and forget nothing.</summary>
    [SkippableFact]
    public Task InspectAsync_ASiloStopsUnderLoadOnPostgres_EveryPictureIsAnsweredOnce() => LoseAsync(server.NewDatabase(), inOrder: true);

    /// <summary>Without a word to the others.</summary>
    [SkippableFact]
    public Task InspectAsync_ASiloIsGoneUnderLoad_EveryPictureIsAnsweredOnce() => LoseAsync(server.NewDatabase(), inOrder: false);

    [Fact]
    public async Task InspectAsync_NoSiloAnswersInTime_SaysThatItIsOpen()
    {
        await using var plant = await TestPlant.StartAsync(1,
            client: options => (options.TryTimeout, options.Timeout) = (TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(2)));
        await plant.Client.SetUpLineAsync("slow", new() { Product = "part" });
        var id = InspectionRecord.NewId();
        plant.Paces[0].Hold();
        (await FluentActions.Awaiting(() => plant.InspectAsync("slow", 7, id)).Should().ThrowAsync<PlantException>())
            .Which.Fault.Should().Be(PlantFault.Unreachable);
        plant.Paces[0].Release();

        (await plant.InspectAsync("slow", 7, id)).Score.Should().Be(7);
        (await plant.StoredAsync("slow")).Should().ContainSingle();
    }

    private static async Task LoseAsync(string? postgres, bool inOrder)
    {
        await using var plant = await TestPlant.StartAsync(3, postgres);
        string[] lines = ["a", "b", "c", "d"];
        foreach (var line in lines)
        {
            await plant.Client.SetUpLineAsync(line, new() { Product = "part" });
        }

        var (answers, stop) = (new ConcurrentDictionary<Guid, PlantAnswer>(), false);
        var load = Task.WhenAll(lines.Select(line => Task.Run(async () =>
        {
            while (!Volatile.Read(ref stop))
            {
                var id = InspectionRecord.NewId();
                try
                {
                    answers[id] = await plant.InspectAsync(line, 5, id);
                }
                catch (InspectionRefusedException)
                {
                    // Told; not answered, and not to be counted.
                }
                catch (PlantException fault) when (postgres is null && fault.Fault == PlantFault.LineUnknown)
                {
                    await plant.Client.SetUpLineAsync(line, new() { Product = "part" });
                }
            }
        })));
        await Patience.UntilAsync(() => answers.Count > 40);
        await plant.StopSiloAsync(2, inOrder);
        var then = answers.Count;
        await Patience.UntilAsync(() => answers.Count > then + 40);
        Volatile.Write(ref stop, true);
        await load;

        // Nothing is told of the call that was under way: it was answered by another silo, by the same id.
        var stored = new List<StoredResult>();
        foreach (var line in lines)
        {
            if (postgres is null)
            {
                await plant.Client.SetUpLineAsync(line, new() { Product = "part" });
            }

            stored.AddRange(await plant.StoredAsync(line));
            (await plant.Client.GetLineAsync(line, recount: true)).Answered.Should().Be(answers.Values.Count(answer => answer.Line == line));
        }

        stored.Select(result => (result.Id, result.Station)).Should()
            .BeEquivalentTo(answers.Select(answer => (answer.Key, (string?)answer.Value.Silo)), options => options.WithoutStrictOrdering());
        answers.Values.Select(answer => answer.Silo).Distinct().Should().HaveCount(3);
    }
}
