using Microsoft.Extensions.Time.Testing;

namespace Microsoft.ML.KagPrompt.Hosting.Tests.Registry;

public sealed class FolderModelRegistryTests : IDisposable
{
    private static readonly ModelNotes Notes = new() { By = "test" };

    private readonly string root = Directory.CreateTempSubdirectory("kagprompt-registry-").FullName;
    private readonly FakeTimeProvider time = new(new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero));
    private readonly FolderModelRegistry registry;

    public FolderModelRegistryTests() => registry = new(In("models"), time);

    [Fact]
    public async Task PublishAsync_FileWithWeightsBesideIt_KeepsBothWithTheirHashesAndNotes()
    {
        File.WriteAllText(In("bolt.onnx"), "model");
        File.WriteAllText(In("bolt.onnx.data"), "weights");
        File.WriteAllText(In("photograph.png"), "photograph");
        var notes = new ModelNotes
        {
            By = "Anna", Comment = "new lamp", ClassName = "bolt", Photographs = [RecordedFile.Read(In("photograph.png"))]
        };
        var version = await registry.PublishAsync("bolt", In("bolt.onnx"), notes);
        version.Id.Should().MatchRegex("^20261126-080000-[0-9a-f]{8}$");
        version.Files.Select(file => file.Name).Should().Equal("bolt.onnx", "bolt.onnx.data");
        version.Sha256.Should().Be(RecordedFile.Read(In("bolt.onnx")).Sha256);
        (await registry.ListAsync("bolt")).Should().ContainSingle().Which.Should().BeEquivalentTo(version);
        (await registry.ListProductsAsync()).Should().Equal("bolt");
        (await registry.GetActiveAsync("bolt")).Should().BeNull("publishing does not activate");
        var path = await registry.FetchAsync(version);
        File.ReadAllText(path).Should().Be("model");
        File.ReadAllText(path + ".data").Should().Be("weights");
        Directory.GetFileSystemEntries(In("models/bolt")).Should().ContainSingle("nothing else is left");
    }

    [Fact]
    public async Task ActivateRollBackDelete_SeveralVersions_GoesBackThroughThoseThatAreThere()
    {
        var (a, b, c) = (await PublishAsync("a"), await PublishAsync("b"), await PublishAsync("c"));
        (await registry.ListAsync("part")).Select(version => version.Id).Should().Equal(a, b, c);
        foreach (var id in new[] { a, b, c })
        {
            await registry.ActivateAsync("part", id, "test");
        }

        await registry.ActivateAsync("part", c, "test");
        await registry.Invoking(one => one.DeleteAsync("part", c)).Should().ThrowAsync<InvalidOperationException>().WithMessage("*is active*");
        await registry.DeleteAsync("part", b);
        (await registry.RollBackAsync("part")).Id.Should().Be(a, "b is gone");
        (await registry.GetActiveAsync("part"))!.Id.Should().Be(a);
        await registry.Invoking(one => one.RollBackAsync("part")).Should().ThrowAsync<InvalidOperationException>();
        foreach (var id in new[] { c, a })
        {
            await registry.ActivateAsync("part", id, "test");
        }

        await registry.DeleteAsync("part", c);
        await registry.Invoking(one => one.RollBackAsync("part")).Should().ThrowAsync<InvalidOperationException>("to go back to the active one is no way back");
        await registry.Invoking(one => one.DeactivateAsync("absent", "test")).Should().ThrowAsync<KeyNotFoundException>().WithMessage("The registry has no product 'absent'*");
        await registry.DeactivateAsync("part", "test");
        (await registry.GetActiveAsync("part")).Should().BeNull();
        (await registry.RollBackAsync("part")).Id.Should().Be(a, "what was active before nothing was");
        await registry.Invoking(one => one.ActivateAsync("part", b, "test")).Should().ThrowAsync<KeyNotFoundException>();
        await registry.Invoking(one => one.DeleteAsync("part", b)).Should().ThrowAsync<KeyNotFoundException>();
        await registry.Invoking(one => one.ActivateAsync("absent", b, "test")).Should().ThrowAsync<KeyNotFoundException>();
        (await registry.ListAsync("absent")).Should().BeEmpty();
    }

    [Fact]
    public async Task PublishAsync_SameModelInTheSameSecond_GetsAnotherName()
    {
        File.WriteAllText(In("x"), "x");
        var versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => new FolderModelRegistry(In("models"), time).PublishAsync("part", In("x"), Notes)));
        versions.Select(version => version.Id).Should().OnlyHaveUniqueItems();
        (await registry.ListAsync("part")).Should().HaveCount(8);
    }

    [Fact]
    public async Task ActivateAsync_ManyInstancesAtOnce_LosesNoActivation()
    {
        var ids = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            ids.Add(await PublishAsync($"m{i}"));
        }

        await Task.WhenAll(ids.Select(id => Task.Run(() => new FolderModelRegistry(In("models"), time).ActivateAsync("part", id, "test"))));
        var seen = new List<string> { (await registry.GetActiveAsync("part"))!.Id };
        for (var i = 1; i < ids.Count; i++)
        {
            seen.Add((await registry.RollBackAsync("part")).Id);
        }

        seen.Should().BeEquivalentTo(ids, "each activation came after another and forgot none");
    }

    [Fact]
    public async Task FetchAndActivate_ChangedFile_AreRefused()
    {
        var (a, b) = (await PublishAsync("a"), await PublishAsync("b"));
        await registry.ActivateAsync("part", a, "test");
        await registry.ActivateAsync("part", b, "test");
        var version = (await registry.ListAsync("part"))[0];
        var path = await registry.FetchAsync(version);
        File.AppendAllText(path, "!");
        await registry.Invoking(one => one.FetchAsync(version)).Should().ThrowAsync<ModelFormatException>().WithMessage("*not what was published*");
        await registry.Invoking(one => one.RollBackAsync("part")).Should().ThrowAsync<ModelFormatException>();
        (await registry.GetActiveAsync("part"))!.Id.Should().Be(b, "it stays as it was");
        File.Delete(path);
        await registry.Invoking(one => one.ActivateAsync("part", a, "test")).Should().ThrowAsync<ModelFormatException>().WithMessage("*got no file*");
    }

    [Fact]
    public async Task Registry_LeftoversOfEveryStage_ChangesNothingAndIsTidiedLater()
    {
        var a = await PublishAsync("a");
        await registry.ActivateAsync("part", a, "test");
        var part = In("models/part");
        // Killed while it copied, before it renamed, while it wrote the pointer, while it deleted, while it held the lock.
        Directory.CreateDirectory(Path.Combine(part, ".new-copying"));
        File.WriteAllText(Path.Combine(part, ".new-copying", "half"), "ha");
        Directory.CreateDirectory(Path.Combine(part, ".new-recorded"));
        File.Copy(Path.Combine(part, a, "version.json"), Path.Combine(part, ".new-recorded", "version.json"));
        File.WriteAllText(Path.Combine(part, "active.json.x.tmp"), "{\"hist");
        Directory.CreateDirectory(Path.Combine(part, ".deleted-half"));
        File.WriteAllText(Path.Combine(part, ".deleted-half", "rest"), "rest");
        File.WriteAllText(Path.Combine(part, ".lock"), "");
        (await registry.GetActiveAsync("part"))!.Id.Should().Be(a);
        (await registry.ListAsync("part")).Should().ContainSingle();
        var b = await PublishAsync("b");
        Directory.Exists(Path.Combine(part, ".new-copying")).Should().BeTrue("another process may be copying just now");
        Directory.Exists(Path.Combine(part, ".deleted-half")).Should().BeFalse();
        await registry.ActivateAsync("part", b, "test");
        (await registry.RollBackAsync("part")).Id.Should().Be(a);

        time.SetUtcNow(DateTimeOffset.UtcNow + TimeSpan.FromDays(2));
        await PublishAsync("c");
        Directory.GetFileSystemEntries(part).Select(Path.GetFileName).Where(name => name!.StartsWith('.') || name.EndsWith(".tmp", StringComparison.Ordinal)).Should().Equal(".lock");
        (await registry.ListAsync("part")).Should().HaveCount(3);
    }

    [Fact]
    public async Task PublishAsync_FileThatCannotBeRead_LeavesNothing()
    {
        await registry.Invoking(one => one.PublishAsync("part", In("absent"), Notes)).Should().ThrowAsync<FileNotFoundException>();
        File.WriteAllText(In("x"), "x");
        await registry.Invoking(one => one.PublishAsync("part", In("x"), Notes, new CancellationToken(true))).Should().ThrowAsync<OperationCanceledException>();
        Directory.GetFileSystemEntries(In("models/part")).Should().BeEmpty();
        (await registry.ListProductsAsync()).Should().BeEmpty();
    }

    [Theory]
    [InlineData("../x")]
    [InlineData(".x")]
    [InlineData("x.")]
    [InlineData("")]
    public async Task Calls_NamesThatAreNone_AreRefused(string name)
    {
        File.WriteAllText(In("x"), "x");
        await registry.Invoking(one => one.PublishAsync(name, In("x"), Notes)).Should().ThrowAsync<ArgumentException>();
        await registry.Invoking(one => one.ListAsync(name)).Should().ThrowAsync<ArgumentException>();
        await registry.Invoking(one => one.GetActiveAsync(name)).Should().ThrowAsync<ArgumentException>();
        await registry.Invoking(one => one.ActivateAsync("part", name, "test")).Should().ThrowAsync<ArgumentException>();
        await registry.Invoking(one => one.DeleteAsync("part", name)).Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public async Task Read_DamagedRecords_SaysWhichFile()
    {
        var a = await PublishAsync("a");
        await registry.ActivateAsync("part", a, "test");
        var record = In($"models/part/{a}/version.json");
        var whole = File.ReadAllText(record);
        foreach (var text in new[] { "", "{", "null", "{}", whole.Replace("\"files\": [", "\"files\": [null,"), whole.Replace("\"part\"", "\"other\""), whole.Replace("\"by\": \"test\"", "\"by\": null") })
        {
            File.WriteAllText(record, text);
            await registry.Invoking(one => one.GetActiveAsync("part")).Should().ThrowAsync<ModelFormatException>().WithMessage("*version.json*");
        }

        File.WriteAllText(record, whole);
        foreach (var (version, message) in new[] { ("../../x", "*active.json*"), ("gone", "*its folder is gone*") })
        {
            File.WriteAllText(In("models/part/active.json"), $$"""{"history":[{"version":"{{version}}","at":"2026-11-26T08:00:00Z","by":"x"}]}""");
            await registry.Invoking(one => one.GetActiveAsync("part")).Should().ThrowAsync<ModelFormatException>().WithMessage(message);
        }
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string In(string name) => Path.Combine(root, name);

    private async Task<string> PublishAsync(string content)
    {
        File.WriteAllText(In("file.fake"), content);
        time.Advance(TimeSpan.FromSeconds(1));
        return (await registry.PublishAsync("part", In("file.fake"), Notes)).Id;
    }
}
