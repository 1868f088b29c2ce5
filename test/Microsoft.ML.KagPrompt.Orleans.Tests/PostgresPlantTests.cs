using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Orleans.Lines;
using Microsoft.ML.KagPrompt.Orleans.Postgres;
using Microsoft.ML.KagPrompt.Orleans.Tests.Servers;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;
using Npgsql;
using Orleans.Storage;

namespace Microsoft.ML.KagPrompt.Orleans.Tests;

[Collection(PostgresCollection.Name)]
public sealed class PostgresPlantTests(PostgresServer server)
{
    [SkippableFact]
    public async Task Line_AfterAllSilosStopped_IsAsItWas()
    {
        var database = server.NewDatabase();
        await using (var first = await TestPlant.StartAsync(2, database))
        {
            await first.Client.SetUpLineAsync("kept", new() { Product = "part", Threshold = 50, TeachingScores = [1, 2, 3] });
            await first.InspectAsync("kept", 20);
            await first.InspectAsync("kept", 80);
        }

        await using var second = await TestPlant.StartAsync(2, database);
        var line = await second.Client.GetLineAsync("kept");
        line.Settings!.TeachingScores.Should().Equal(1, 2, 3);
        (line.Settings.Threshold, line.Answered, line.Anomalous).Should().Be((50f, 2, 1));
        await second.InspectAsync("kept", 20);
        (await second.Client.GetLineAsync("kept")).Answered.Should().Be(3);
        (await second.Client.GetSilosAsync()).Should().HaveCount(2, "those of before are gone");
    }

    [SkippableFact]
    public async Task Storage_AVersionThatIsOld_WritesNothing()
    {
        await using var plant = await TestPlant.StartAsync(1, server.NewDatabase());
        var storage = plant.Silos[0]!.Services.GetRequiredKeyedService<IGrainStorage>(LineGrain.Storage);
        var grain = GrainId.Create("test", "one");
        GrainState<LineState> State(long refused) => new() { State = new() { Refused = refused } };
        var (mine, yours, read) = (State(1), State(2), State(0));
        await storage.WriteStateAsync("line", grain, mine);
        await FluentActions.Awaiting(() => storage.WriteStateAsync("line", grain, yours)).Should().ThrowAsync<InconsistentStateException>();
        await storage.ReadStateAsync("line", grain, read);
        (read.State!.Refused, read.RecordExists).Should().Be((1, true));

        read.State!.Refused = 3;
        await storage.WriteStateAsync("line", grain, read);
        await FluentActions.Awaiting(() => storage.WriteStateAsync("line", grain, mine)).Should().ThrowAsync<InconsistentStateException>();
        await storage.ClearStateAsync("line", grain, read);
        var cleared = State(0);
        await storage.ReadStateAsync("line", grain, cleared);
        (cleared.State!.Refused, cleared.RecordExists).Should().Be((0, false));
    }

    [SkippableFact]
    public async Task PrepareAsync_ManyAtOnceAndAgain_LeavesOneSetOfTables()
    {
        var database = server.NewDatabase();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PlantDatabase.PrepareAsync(database, default)));
        await using var connection = new NpgsqlConnection(PlantDatabase.InSchema(database));
        await connection.OpenAsync();
        await using var wrong = new NpgsqlCommand("UPDATE OrleansQuery SET QueryText = 'old'", connection);
        await wrong.ExecuteNonQueryAsync();
        await PlantDatabase.PrepareAsync(database, default);
        await using var count = new NpgsqlCommand("SELECT count(*) FROM OrleansQuery WHERE QueryText <> 'old'", connection);
        (await count.ExecuteScalarAsync()).Should().Be(14L);
        await using var other = new NpgsqlCommand("SELECT to_regclass('public.orleansquery') IS NULL", connection);
        (await other.ExecuteScalarAsync()).Should().Be(true, "another Orleans in the database has its own");
    }
}
