using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Examples.Tests;

/// <summary>The service over HTTP, against scoring without it.</summary>
public sealed class ScoringServiceTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private readonly HttpClient client = new();

    [Fact]
    public async Task Score_GoodDefectiveAndBadBodies_AnswersAsTheModelWould()
    {
        var zip = parts.Model();
        using var service = RunningService.Start(zip, "--max-bytes", "100000", "--readers", "2");
        (await Get(service, "/healthz")).Should().Contain("\"ok\"").And.Contain("object");
        var model = new MLContext().Model.Load(zip, out _);
        var direct = model.Transform(PartFolder.Rows("", parts.Good, parts.Defective));
        var expected = direct.GetColumn<float>("Score").Zip(direct.GetColumn<bool>("PredictedLabel"), direct.GetColumn<float>("Probability")).ToArray();
        var threshold = ((IEnumerable<ITransformer>)model).OfType<KagPromptTransformer>().Single().Calibration().Threshold;
        (model as IDisposable)!.Dispose();

        // More at once than are read at once.
        var files = Enumerable.Range(0, 12).Select(i => i % 2 == 0 ? parts.Defective : parts.Good).ToArray();
        var answers = await Task.WhenAll(files.Select(file => Post(service, "/score", File.ReadAllBytes(file))));
        for (var i = 0; i < files.Length; i++)
        {
            answers[i].Status.Should().Be(HttpStatusCode.OK, answers[i].Text);
            using var json = JsonDocument.Parse(answers[i].Text);
            // Rows are in the files' order: the defective one lies in "bar", before "good".
            var (score, isAnomalous, probability) = expected[i % 2];
            json.RootElement.GetProperty("score").GetSingle().Should().BeApproximately(score, 1e-5f);
            json.RootElement.GetProperty("probability").GetSingle().Should().BeApproximately(probability, 1e-3f);
            json.RootElement.GetProperty("isAnomalous").GetBoolean().Should().Be(isAnomalous).And.Be(i % 2 == 0);
            json.RootElement.GetProperty("threshold").GetSingle().Should().Be(threshold);
            json.RootElement.GetProperty("isForeign").GetBoolean().Should().BeFalse();
        }

        TestImages.Write(TestPictures.Plain(80, 80, 0), parts.In("black.png"));
        using (var blank = JsonDocument.Parse((await Post(service, "/score", File.ReadAllBytes(parts.In("black.png")))).Text))
        {
            blank.RootElement.GetProperty("isForeign").GetBoolean().Should().BeTrue();
            blank.RootElement.GetProperty("isAnomalous").GetBoolean().Should().BeTrue();
            blank.RootElement.GetProperty("probability").ValueKind.Should().Be(JsonValueKind.Null, "its score says nothing");
        }

        (await Post(service, "/score", [1, 2, 3])).Should().Match<(HttpStatusCode Status, string Text)>(answer => answer.Status == HttpStatusCode.BadRequest && answer.Text.Contains("is not an image"));
        (await Post(service, "/score", [])).Status.Should().Be(HttpStatusCode.BadRequest);
        (await Post(service, "/score", new byte[100_001])).Should().Match<(HttpStatusCode Status, string Text)>(answer => answer.Status == HttpStatusCode.RequestEntityTooLarge && answer.Text.Contains("100000 bytes"));
        (await Post(service, "/score?class=nut", File.ReadAllBytes(parts.Good))).Should().Match<(HttpStatusCode Status, string Text)>(answer => answer.Status == HttpStatusCode.BadRequest && answer.Text.Contains("is not known"));
        (await Post(service, "/score", File.ReadAllBytes(parts.Good))).Status.Should().Be(HttpStatusCode.OK, "places come back from bad requests");

        var metrics = await Get(service, "/metrics");
        metrics.Should().Contain("scoring_requests_total{code=\"200\"} 14\n").And.Contain("scoring_requests_total{code=\"400\"} 3\n").And.Contain("scoring_requests_total{code=\"413\"} 1\n")
            .And.Contain("scoring_anomalous_total 7\n").And.Contain("scoring_seconds_count 14\n").And.MatchRegex(@"scoring_seconds_sum \d")
            .And.MatchRegex("kagprompt_requests_total{product=\"object\",outcome=\"anomalous\"} 7\n")
            .And.MatchRegex("kagprompt_requests_total{product=\"\",outcome=\"product_unknown\"} 1\n")
            .And.Contain("kagprompt_queue_length{product=\"object\"} 0\n").And.Contain("# TYPE kagprompt_batch_size summary\n");
    }

    [Fact]
    public async Task Score_RegistryThatChanges_SaysWhichVersionAndFollows()
    {
        var folder = parts.In("registry");
        using var service = RunningService.Follow(folder);
        (await Post(service, "/score?product=bolt", File.ReadAllBytes(parts.Good))).Status.Should().Be(HttpStatusCode.BadRequest, "nothing is there yet");
        var registry = new FolderModelRegistry(folder);
        var version = await registry.PublishAsync("bolt", parts.Model(), new() { By = "test" });
        await registry.ActivateAsync("bolt", version.Id, "test");
        for (var until = DateTime.UtcNow.AddSeconds(60); !(await Get(service, "/healthz")).Contains(version.Id);)
        {
            DateTime.UtcNow.Should().BeBefore(until);
            await Task.Delay(50);
        }

        var answer = await Post(service, "/score?product=bolt", File.ReadAllBytes(parts.Defective));
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer.Text.Should().Contain($"\"modelVersion\":\"{version.Id}\"").And.Contain("\"isAnomalous\":true");
    }

    [SkippableFact]
    public async Task Terminate_RequestUnderWay_IsAnsweredFirst()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "sends SIGTERM");
        using var service = RunningService.Start(parts.Model(knowsClasses: true));
        var slow = new SlowContent(File.ReadAllBytes(parts.Defective));
        // The body waits for the service's word, which it gives when it starts to read: until then there is no request under way.
        using var patient = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) });
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{service.Address}/score?class=bolt") { Content = slow, Headers = { ExpectContinue = true } };
        var answer = patient.SendAsync(request);
        await slow.HalfSent;
        using (var kill = Process.Start("kill", ["-TERM", $"{service.Process.Id}"])!)
        {
            await kill.WaitForExitAsync();
        }

        await Task.Delay(300);
        service.Process.HasExited.Should().BeFalse();
        slow.SendRest();
        (await answer).StatusCode.Should().Be(HttpStatusCode.OK);
        service.Process.WaitForExit(30_000).Should().BeTrue();
        service.Process.ExitCode.Should().Be(0);
    }

    private async Task<string> Get(RunningService service, string path) => await client.GetStringAsync(service.Address + path);

    private async Task<(HttpStatusCode Status, string Text)> Post(RunningService service, string path, byte[] body)
    {
        using var answer = await client.PostAsync(service.Address + path, new ByteArrayContent(body));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>A body whose second half waits.</summary>
    private sealed class SlowContent(byte[] bytes) : HttpContent
    {
        private readonly TaskCompletionSource halfSent = new(TaskCreationOptions.RunContinuationsAsynchronously), rest = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task HalfSent => halfSent.Task;

        public void SendRest() => rest.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await stream.FlushAsync();
            halfSent.SetResult();
            await rest.Task;
            await stream.WriteAsync(bytes.AsMemory(bytes.Length / 2));
        }

        protected override bool TryComputeLength(out long length) => (length = bytes.Length) >= 0;
    }
}
