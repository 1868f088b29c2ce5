using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Station.Lines;
using Microsoft.ML.KagPrompt.Station.Teaching;
using Microsoft.ML.KagPrompt.Station.Web;
using QuickStart;

namespace Microsoft.ML.KagPrompt.Station.Demo;

/// <summary>
/// For --demo: a product of rendered washers, taught at the first start, and a folder into which parts come, good and defective.
/// </summary>
internal sealed class DemoProduct(IModelRegistry registry, PhotoStore photographs, Teacher teacher, Publisher publisher, LineStore lines,
    HeavyWork work,
    StationOptions options, TimeProvider time, ILogger<DemoProduct> log) : BackgroundService
{
    private const string Product = "washer";
    private const int Photographs = 8;
    private const int FirstPart = 100_000;
    private const int MostWaiting = 50;

    private static readonly string?[] Kinds = [null, null, "scratch", null, null, null, "stain", null, "missing_hole", null, null, "chip"];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if ((await registry.ListAsync(Product, stoppingToken)).Count == 0)
            {
                await TeachAsync(stoppingToken);
            }

            if ((await lines.ListAsync(stoppingToken)).All(line => line.Product != Product))
            {
                await lines.AddAsync("Demo", Product, "demo", leave: false, "demo");
            }

            var folder = WatchedFolder.Resolve(options.Incoming, "demo");
            Directory.CreateDirectory(folder);
            for (var part = 0; !stoppingToken.IsCancellationRequested; part++)
            {
                if (Directory.GetFiles(folder).Length < MostWaiting)
                {
                    var stamp = (int)(time.GetUtcNow().ToUnixTimeSeconds() % 1_000_000);
                    var (picture, _) = PartRenderer.Render(FirstPart + stamp, Kinds[part % Kinds.Length]);
                    var beside = Path.Combine(folder, $".part-{stamp:000000}");
                    await File.WriteAllBytesAsync(beside, ImageCodec.EncodePng(picture), stoppingToken);
                    File.Move(beside, Path.Combine(folder, $"part-{stamp:000000}.png"), overwrite: true);
                }

                await Task.Delay(TimeSpan.FromSeconds(3), time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The station stops.
        }
        catch (Exception fault) when (Faults.IsExpected(fault))
        {
            log.LogError(fault, "the demo ended");
        }
    }

    private async Task TeachAsync(CancellationToken stop)
    {
        var given = Enumerable.Range(0, Photographs)
            .Select(i => photographs.Add(ImageCodec.EncodePng(PartRenderer.Render(1000 + i, null).Picture), $"washer-{i}.png")).ToArray();
        var model = options.PathTo("drafts", ".demo", "model.kag");
        var done = new TaskCompletionSource<FitOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Start("teach demo", "demo", async (tell, end) =>
        {
            try
            {
                var facts = new ModelFacts { Photographs = given, Threshold = 0, MapLow = 0, MapHigh = 1, MapThreshold = 0 };
                done.TrySetResult(await teacher.FitAsync(Product, facts, model, tell, end));
            }
            catch (Exception fault)
            {
                done.TrySetException(fault);
                throw;
            }
        });
        var outcome = await done.Task.WaitAsync(stop);
        await publisher.PublishAsync(Product, model, outcome.Facts, "demo", $"{Photographs} rendered photographs", stop);
        File.Delete(model);
    }
}
