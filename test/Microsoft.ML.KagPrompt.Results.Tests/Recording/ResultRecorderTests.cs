using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Recording;

public sealed class ResultRecorderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string, Func<InspectionRecord, InspectionRecord>> Faults => new()
    {
        { "Id", record => record with { Id = Guid.NewGuid() } },
        { "Product", record => record with { Product = "" } },
        { "Product", record => record with { Product = new string('a', 201) } },
        { "Product", record => record with { Product = "a\0b" } },
        { "Product", record => record with { Product = "a\uD800" } },
        { "Product", record => record with { Product = "\uFFFD\uDD29\uD83D" } },
        { "ModelVersion", record => record with { ModelVersion = "a\nb" } },
        { "ModelHash", record => record with { ModelHash = new string('A', 64) } },
        { "Time", record => record with { Time = DateTimeOffset.MinValue } },
        { "Score", record => record with { Score = float.NaN } },
        { "Probability", record => record with { Probability = 1.5f } },
        { "Threshold", record => record with { Threshold = float.PositiveInfinity } },
        { "IsForeign", record => record with { IsForeign = true } },
        { "Reason", record => record with { Reason = new string('a', 501) } },
        { "CycleTime", record => record with { CycleTime = TimeSpan.FromTicks(-1) } },
        { "Line", record => record with { Line = "" } },
        { "Station", record => record with { Station = "\t" } },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Record_ValueOutOfRange_IsRefusedByNameAndNotKept(string name, Func<InspectionRecord, InspectionRecord> change)
    {
        await using var host = ResultsHost.Idle(folder.Path);
        await host.Recorder.Awaiting(recorder => recorder.RecordAsync(change(ResultsHost.Record()))).Should()
            .ThrowAsync<ArgumentException>()
            .WithMessage($"InspectionRecord has 1 invalid value(s)*{name}: expected*");
        host.Recorder.Pending.Should().Be(0);
    }

    [Fact]
    public async Task Record_LongestTexts_FitIntoAnEntry()
    {
        await using var host = await ResultsHost.StartAsync(folder.Path);
        // What takes most bytes as JSON: each becomes a \u sequence of six, in pairs.
        string Long(int length) => string.Concat(Enumerable.Repeat("\U0001F529", length / 2));
        var record = ResultsHost.Record(Long(200)) with { ModelVersion = Long(100), Reason = Long(500), Line = Long(100),
            Station = Long(100), IsAnomalous = true };
        await host.StoreAsync(record);
        (await host.Store.FindAsync(record.Id)).Should().BeEquivalentTo(record);
    }

    [Fact]
    public async Task Record_PictureTooLarge_IsRefusedAndNotWritten()
    {
        await using var host = ResultsHost.Idle(folder.Path, options => options.MaxPictureBytes = 10);
        await host.Recorder.Awaiting(recorder => recorder.RecordAsync(ResultsHost.Record(), new byte[11])).Should()
            .ThrowAsync<ArgumentException>().WithMessage("*at most 10 bytes*11*");
        Directory.Exists(folder.In("pictures")).Should().BeFalse();
    }

    [Fact]
    public async Task Record_JournalFull_SaysSoAndTakesMoreLater()
    {
        await using (var host = ResultsHost.Idle(folder.Path, options => options.MaxJournalBytes = 1 << 20))
        {
            var recorder = host.Recorder;
            async Task FillAsync()
            {
                while (true)
                {
                    await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => recorder.RecordAsync(ResultsHost.Record())));
                }
            }

            await FluentActions.Awaiting(FillAsync).Should().ThrowAsync<JournalFullException>().WithMessage("*MaxJournalBytes, 1048576*");
            host.Recorder.JournalBytes.Should().BeInRange(1_000_000, 1 << 20);
        }

        await using var working = await ResultsHost.StartAsync(folder.Path, configure: options => options.MaxJournalBytes = 1 << 20);
        await working.Recorder.WhenStoredAsync();
        await working.StoreAsync(ResultsHost.Record());
    }

    [Fact]
    public void Record_OfAnInspection_TakesWhatItSays()
    {
        var inspection = new Inspection(0.5f, true, float.NaN, float.NaN, [1, 2], 1, 2) { IsForeign = true };
        var record = new InspectionRecord(inspection, InspectionRecord.NewId(), "bolt", "3", DateTimeOffset.UnixEpoch);
        (record.Score, record.Threshold, record.Probability, record.IsAnomalous, record.IsForeign, record.Reason)
            .Should().Be((0.5f, null, null, true, true, Inspection.ForeignWord));
        var told = new InspectionRecord(inspection with { Threshold = 0.25f, Probability = 0.75f, IsForeign = false },
            record.Id, "bolt", "3", DateTimeOffset.UnixEpoch);
        (told.Threshold, told.Probability, told.Reason).Should().Be((0.25f, 0.75f, "the score exceeds the threshold"));
    }

    [Fact]
    public void Options_OutOfRange_AreNamedTogetherWithoutThePassword()
    {
        var options = new KagPromptResultsOptions { PostgresConnectionString = " ", MaxJournalBytes = 1, BatchSize = 0, PictureDays = 0,
            OrphanAge = TimeSpan.Zero, ResultDays = 0.5, ResultDaysWithFeedback = 0.4 };
        options.Invoking(each => each.Validate()).Should().Throw<ArgumentException>()
            .WithMessage("*8 invalid*Folder*PostgresConnectionString*MaxJournalBytes*BatchSize*ResultDays*ResultDaysWithFeedback*PictureDays*OrphanAge*");
    }

    public void Dispose() => folder.Dispose();
}
