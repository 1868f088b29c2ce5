using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Orleans.Tests.Servers;
using Microsoft.ML.KagPrompt.Results;
using Orleans.Runtime;

namespace Microsoft.ML.KagPrompt.Orleans.Tests;

public sealed class PlantClientTests(SharedPlant shared) : IClassFixture<SharedPlant>
{
    private readonly TestPlant plant = shared.Plant;

    [Fact]
    public async Task InspectAsync_APicture_TellsWhatTheModelSaysAndTheDatabaseHas()
    {
        await plant.Client.SetUpLineAsync("one", new() { Product = "part" });
        var good = await plant.InspectAsync("one", 20);
        var bad = await plant.InspectAsync("one", 180);

        (good.Score, good.IsAnomalous, good.Threshold, good.IsStored).Should().Be((20, false, 100, true));
        (bad.Score, bad.IsAnomalous, bad.Reason).Should().Be((180, true, "the score exceeds the threshold"));
        var stored = await plant.StoredAsync("one");
        stored.Select(result => (result.Id, result.Score, result.Station)).Should()
            .BeEquivalentTo([(good.Id, good.Score, good.Silo), (bad.Id, bad.Score, bad.Silo)]);
        stored.Should().OnlyContain(result => result.PictureHash != null && result.MapHash != null && result.CycleTime > TimeSpan.Zero);
        var line = await plant.Client.GetLineAsync("one");
        (line.Answered, line.Anomalous, line.Settings!.Product, line.LastModelVersion).Should().Be((2, 1, "part", good.ModelVersion));
    }

    [Fact]
    public async Task InspectAsync_ManyLinesAtOnce_NoSiloHasMoreThanItsShare()
    {
        const int Callers = 9, Each = 60;
        var before = (await plant.Client.GetSilosAsync()).ToDictionary(silo => silo.Silo, silo => silo.Inspected);
        string[] lines = ["load-a", "load-b", "load-c"];
        foreach (var line in lines)
        {
            await plant.Client.SetUpLineAsync(line, new() { Product = "part" });
        }

        var answers = new ConcurrentBag<PlantAnswer>();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                answers.Add(await plant.InspectAsync(lines[caller % lines.Length], (byte)i));
            }
        })));

        answers.Should().HaveCount(Callers * Each);
        var shares = answers.GroupBy(answer => answer.Silo).ToDictionary(silo => silo.Key, silo => silo.Count() / (double)answers.Count);
        shares.Values.Max().Should().BeLessThanOrEqualTo(0.45, "shares are {0}", string.Join(", ", shares));
        var after = await plant.Client.GetSilosAsync();
        after.Sum(silo => silo.Inspected - before[silo.Silo]).Should().Be(Callers * Each);
    }

    [Fact]
    public async Task InspectAsync_TheSameIdAgain_HasTheSameAnswerAndCountsOnce()
    {
        await plant.Client.SetUpLineAsync("again", new() { Product = "part" });
        var id = InspectionRecord.NewId();
        var atOnce = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => plant.InspectAsync("again", 30, id)));
        // Another picture: what was said of the id stays.
        var later = await plant.InspectAsync("again", 200, id);
        await ForgetAsync();
        var afterwards = await plant.InspectAsync("again", 200, id);

        atOnce.Append(later).Append(afterwards).Should().OnlyContain(answer => answer == atOnce[0]);
        (await plant.StoredAsync("again")).Should().ContainSingle().Which.Score.Should().Be(30);
        (await plant.Client.GetLineAsync("again")).Answered.Should().Be(1);
        (await plant.Client.GetLineAsync("again", recount: true)).Answered.Should().Be(1);
    }

    [Fact]
    public async Task InspectAsync_AnIdOfAnotherLine_Fails()
    {
        await plant.Client.SetUpLineAsync("mine", new() { Product = "part" });
        await plant.Client.SetUpLineAsync("yours", new() { Product = "part" });
        var mine = await plant.InspectAsync("mine", 30);
        await FailsAsync(PlantFault.IdTaken, () => plant.InspectAsync("yours", 30, mine.Id));
        (await plant.StoredAsync("yours")).Should().BeEmpty();
    }

    [Fact]
    public async Task InspectAsync_WhatCannotBeInspected_SaysWhy()
    {
        await plant.Client.SetUpLineAsync("faults", new() { Product = "part" });
        await plant.Client.SetUpLineAsync("nothing", new() { Product = "nowhere" });
        var garbage = await plant.Pictures.AddAsync(new byte[] { 1, 2, 3 });
        await FailsAsync(PlantFault.PictureUnreadable, () => plant.Client.InspectAsync("faults", garbage, InspectionRecord.NewId()));
        await FailsAsync(PlantFault.PictureMissing,
            () => plant.Client.InspectAsync("faults", new(new string('a', 64)), InspectionRecord.NewId()));
        await FailsAsync(PlantFault.LineUnknown, () => plant.InspectAsync("never-set-up", 1));
        var unknown = await FluentActions.Awaiting(() => plant.InspectAsync("nothing", 1)).Should().ThrowAsync<InspectionRefusedException>();
        unknown.Which.Reason.Should().Be(RefusalReason.ProductUnknown);
        await FluentActions.Awaiting(() => plant.Client.InspectAsync("faults", garbage, Guid.NewGuid())).Should()
            .ThrowAsync<ArgumentException>();
        await FluentActions.Awaiting(() => plant.Client.InspectAsync("faults", new("../../secret"), InspectionRecord.NewId())).Should()
            .ThrowAsync<ArgumentException>();

        (await plant.Client.GetLineAsync("faults")).Should().Match<LineStatus>(line => line.Failed == 2 && line.Answered == 0);
        (await plant.Client.GetLineAsync("nothing")).Refused.Should().Be(1);
    }

    [Fact]
    public async Task InspectAsync_AProductOfOneSilo_GoesThere()
    {
        await plant.Client.SetUpLineAsync("rare", new() { Product = "rare" });
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => plant.InspectAsync("rare", (byte)i)));
        answers.Should().OnlyContain(answer => answer.Silo == TestPlant.NameOf(2));
    }

    [Fact]
    public async Task InspectAsync_AVersionOfOneSilo_GoesThere()
    {
        await plant.Silos[1]!.Services.GetRequiredService<IModelHost>()
            .SwapAsync(new("versioned", await FileAsync()) { Version = "new" });
        await plant.Silos[0]!.Services.GetRequiredService<IModelHost>()
            .SwapAsync(new("versioned", await FileAsync()) { Version = "old" });
        await plant.Client.SetUpLineAsync("versions", new() { Product = "versioned", ModelVersion = "new" });
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => plant.InspectAsync("versions", (byte)i)));
        answers.Should().OnlyContain(answer => answer.Silo == TestPlant.NameOf(1) && answer.ModelVersion == "new");

        await plant.Client.SetUpLineAsync("versions", new() { Product = "versioned", ModelVersion = "neither" });
        (await FluentActions.Awaiting(() => plant.InspectAsync("versions", 1)).Should().ThrowAsync<InspectionRefusedException>())
            .Which.Reason.Should().Be(RefusalReason.ModelUnavailable);
    }

    [Fact]
    public async Task InspectAsync_ALinesOwnThreshold_Decides()
    {
        await plant.Client.SetUpLineAsync("strict", new() { Product = "part", Threshold = 10 });
        (await plant.InspectAsync("strict", 20)).Should().Match<PlantAnswer>(answer => answer.IsAnomalous && answer.Threshold == 10);
        (await plant.InspectAsync("strict", 10)).IsAnomalous.Should().BeFalse();
    }

    [Fact]
    public async Task InspectAsync_EveryQueueFull_IsRefusedWithATime()
    {
        await plant.Client.SetUpLineAsync("full", new() { Product = "part" });
        // So that each has a batch's time to tell by.
        await Task.WhenAll(Enumerable.Range(0, 9).Select(i => plant.InspectAsync("full", (byte)i)));
        foreach (var pace in plant.Paces)
        {
            pace.Hold();
        }

        // A queue and a batch under way on each silo, and more.
        var calls = Enumerable.Range(0, 3 * (TestPlant.QueueCapacity + 2) + 20).Select(i => plant.InspectAsync("full", (byte)i)).ToArray();
        var refused = await Task.WhenAny(calls);
        var refusal = (await FluentActions.Awaiting(() => refused).Should().ThrowAsync<InspectionRefusedException>()).Which;
        (refusal.Reason, refusal.RetryAfter > TimeSpan.Zero).Should().Be((RefusalReason.QueueFull, true));
        foreach (var pace in plant.Paces)
        {
            pace.Release();
        }

        var ended = await Task.WhenAll(calls.Select(async call =>
        {
            try
            {
                return await call;
            }
            catch (InspectionRefusedException)
            {
                return null;
            }
        }));
        ended.Count(answer => answer is not null).Should().BeGreaterThanOrEqualTo(3 * TestPlant.QueueCapacity);
        (await plant.Client.GetLineAsync("full")).Should().Match<LineStatus>(line
            => line.Answered == 9 + ended.Count(answer => answer != null) && line.Refused == ended.Count(answer => answer == null));
    }

    [Fact]
    public async Task Line_ThatWasPutAwayAndComesBack_IsAsItWas()
    {
        float[] taught = [20, 21, 22, 23, 24];
        await plant.Client.SetUpLineAsync("kept", new() { Product = "part", Threshold = 90, TeachingScores = taught });
        for (var i = 0; i < 25; i++)
        {
            await plant.InspectAsync("kept", (byte)(70 + (i % 3)));
        }

        var before = await plant.Client.GetLineAsync("kept");
        await ForgetAsync();
        var after = await plant.Client.GetLineAsync("kept");

        after.Settings!.TeachingScores.Should().Equal(taught);
        (after.Settings.Threshold, after.Answered, after.LastModelVersion).Should().Be((90f, 25, before.LastModelVersion));
        after.Drift.Should().BeEquivalentTo(before.Drift).And.NotBeNull();
        (after.Drift!.HasDrifted, after.Drift.Count).Should().Be((true, 25));
        after.Drift.Teaching.Should().Equal(20.4, 22, 23.6);
        after.Drift.Recent.Should().Equal(70, 71, 72);
    }

    /// <summary>Every grain that has nothing to do is put away, and with it what it remembers.</summary>
    private async Task ForgetAsync()
        => await plant.Silos[0]!.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0)
            .ForceActivationCollection(TimeSpan.Zero);

    private static async Task<string> FileAsync()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "PLANT");
        return path;
    }

    private static async Task FailsAsync(PlantFault fault, Func<Task> call)
        => (await call.Should().ThrowAsync<PlantException>()).Which.Fault.Should().Be(fault);
}
