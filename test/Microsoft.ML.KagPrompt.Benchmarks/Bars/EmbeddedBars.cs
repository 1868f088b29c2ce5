using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.Transforms.Image;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>The embedded backbones, through the calls that users make: from JPEG files to verdicts.</summary>
internal sealed class EmbeddedBars : IDisposable
{
    private const int Side = 224;
    private const int Images = 64;

    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-bars-").FullName;
    private readonly string[] supports;
    private readonly string[] queries;

    private readonly string device;

    /// <param name="device">As the option names it.</param>
    public EmbeddedBars(string device = "cpu")
        => (this.device, supports, queries) = (device, Write("support", 4, 0), Write("query", Images, 100));

    public IEnumerable<(string Name, Bar Bar)> Measure()
    {
        using (var all = Fit("compact", Precision.Float32))
        {
            yield return ("images_per_second", new(Rate(all), 20, "images/s", AtLeast: true));
            yield return ("prediction_engine_ms_median", new(Engine(all, out var p99) * 1e3, 50, "ms"));
            yield return ("prediction_engine_ms_p99", new(p99 * 1e3, 75, "ms"));
            var graph = Graph(TransformerOf(all).Model);
            yield return ("graph_over_tower_embedded", new(graph.OverTower, 2, "ratio"));
            yield return ("graph_over_libtorch_embedded", Measured(graph.OverLibtorch, "ratio"));
        }

        using (var bank = Fit("resnet18", Precision.Float32))
        {
            yield return ("images_per_second_bank", new(Rate(bank), 40, "images/s", AtLeast: true));
            yield return ("prediction_engine_bank_ms_median", new(Engine(bank, out _) * 1e3, 30, "ms"));
            yield return ("batch8_over_batch1", new(Batch8OverBatch1(TransformerOf(bank).Model), 1, "ratio"));
            foreach (var start in Start(bank))
            {
                yield return start;
            }
        }

        using (var auto = Fit("compact", Precision.Auto))
        {
            yield return ("images_per_second_auto", new(Rate(auto), 30, "images/s", AtLeast: true));
        }

        yield return ("fit_4_seconds", new(Timing.Median(() => Fit("resnet18", Precision.Float32).Dispose(), rounds: 3), 20, "s"));
    }

    /// <summary>The figures of a process that starts alone.</summary>
    public IEnumerable<(string Name, Bar Bar)> Start()
    {
        using var bank = Fit("resnet18", Precision.Float32);
        foreach (var start in Start(bank))
        {
            yield return start;
        }
    }

    /// <summary>What a graphics card changes: told for comparison, without bars.</summary>
    public IEnumerable<(string Name, Bar Bar)> Compare(string suffix)
    {
        foreach (var (name, backbone, precision) in ((string, string, Precision)[])
        [
            ("", "compact", Precision.Float32), ("_bank", "resnet18", Precision.Float32), ("_auto", "compact", Precision.Auto),
        ])
        {
            using var model = Fit(backbone, precision);
            yield return ($"images_per_second{name}_{suffix}", Measured(Rate(model, times: 8), "images/s"));
            yield return ($"prediction_engine{name}_ms_median_{suffix}", Measured(Engine(model, out var p99) * 1e3, "ms"));
            yield return ($"prediction_engine{name}_ms_p99_{suffix}", Measured(p99 * 1e3, "ms"));
            yield return ($"batch8_over_batch1{name}_{suffix}", Measured(Batch8OverBatch1(TransformerOf(model).Model), "ratio"));
        }

        yield return ($"fit_4_seconds_{suffix}", Measured(Timing.Median(() => Fit("resnet18", Precision.Float32).Dispose(), rounds: 3), "s"));
        yield return ($"train_epoch_100_seconds_{suffix}", Measured(TrainingEpoch(), "s"));
    }

    /// <summary>A new process's part: from a zip and a file to a score.</summary>
    public static void Score(string zip, string image)
    {
        var ml = new MLContext();
        using var model = KagPromptTransformer.FindIn(ml.Model.Load(zip, out _));
        Console.WriteLine(model.Inspect(image).Score);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static Bar Measured(double value, string unit) => new(value, double.NaN, unit);

    /// <summary>One epoch over a hundred images with their twins: two epochs less one, which have the rest of a fit in common.</summary>
    private double TrainingEpoch()
    {
        TrainingImage[] images = [.. Enumerable.Range(0, 100).Select(i => new TrainingImage { Image = TestImages.Part(Side, Side, i), IsSupport = i < 4 })];
        double Seconds(int epochs) => Timing.Seconds(() => KagPromptTrainer.Fit(images, new InspectionOptions
        {
            Backbone = new() { Name = "compact" },
            Method = new KagOptions { Training = new() { Epochs = epochs } },
            Device = device,
            Seed = 1,
        }).Dispose());
        Seconds(1);
        return Seconds(2) - Seconds(1);
    }

    private static KagPromptTransformer TransformerOf(ITransformer model) => KagPromptTransformer.FindIn(model);

    private string[] Write(string name, int count, int seed)
        => [.. Enumerable.Range(0, count).Select(i =>
        {
            var path = Path.Combine(folder, $"{name}{i}.jpg");
            File.WriteAllBytes(path, ImageCodec.EncodeJpeg(TestImages.Part(Side, Side, seed + i, defective: i % 2 == 1 && seed > 0), 95));
            return path;
        })];

    private TransformerChain<KagPromptTransformer> Fit(string backbone, Precision precision)
    {
        var ml = new MLContext(seed: 1);
        return ml.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(ml.Transforms.DetectAnomaliesKag("Image", new KagPromptOptions
            {
                Backbone = new() { Name = backbone, Precision = precision },
                Device = device,
            }))
            .Fit(Rows(ml, supports));
    }

    private static IDataView Rows(MLContext ml, IEnumerable<string> files)
        => ml.Data.LoadFromEnumerable(files.Select(file => new Row { ImagePath = file }).ToArray());

    private double Rate(ITransformer model, int times = 1)
    {
        var ml = new MLContext();
        var rows = Rows(ml, Enumerable.Repeat(queries, times).SelectMany(files => files));
        return times * Images / Timing.Median(() => _ = model.Transform(rows).GetColumn<float>("Score").Sum(), rounds: 3);
    }

    private double Engine(ITransformer model, out double p99)
    {
        using var engine = new MLContext().Model.CreatePredictionEngine<Row, Verdict>(model, new PredictionEngineOptions { OwnsTransformer = false });
        void Predict(int i) => engine.Predict(new Row { ImagePath = queries[i % Images] });
        for (var i = 0; i < 5; i++)
        {
            Predict(i);
        }

        var times = Enumerable.Range(0, 200).Select(i => Timing.Seconds(() => Predict(i))).Order().ToArray();
        p99 = times[(int)(0.99 * times.Length)];
        return times[times.Length / 2];
    }

    private double Batch8OverBatch1(KagPromptModel model)
    {
        var images = queries.Take(16).Select(file => ImageCodec.Read(file)).ToArray();
        void By(int count)
        {
            foreach (var batch in images.Chunk(count))
            {
                model.Inspect(batch, new string?[batch.Length]);
            }
        }

        var medians = Timing.Medians(7, () => By(8), () => By(1));
        return medians[0] / medians[1];
    }

    /// <summary>The graph's time over the tower's, and over its own by libtorch.</summary>
    private (double OverTower, double OverLibtorch) Graph(KagPromptModel model)
    {
        using var noGradients = torch.no_grad();
        var prompt = ((KagMethod)model.Network.Method).Prompt!;
        var square = model.ToModelSize(ImageCodec.Read(queries[0]));
        using var features = (ScoringFeatures)model.Network.Encode([square]);
        void Pass(bool byLibtorch)
        {
            ProductTiles.IsLeftOut = byLibtorch;
            using var scope = torch.NewDisposeScope();
            prompt.Outputs(prompt.Nodes(features.ForPrompt!.PromptTokens));
            ProductTiles.IsLeftOut = false;
        }

        var medians = Timing.Medians(15, () => Pass(false), () => model.Network.Encode([square]).Dispose());
        // By itself: libtorch's threads go on turning for a while, on the cores that the others would need.
        return (medians[0] / medians[1], medians[0] / Timing.Median(() => Pass(true), 15));
    }

    private IEnumerable<(string Name, Bar Bar)> Start(ITransformer model)
    {
        var zip = Path.Combine(folder, "model.zip");
        new MLContext().Model.Save(TransformerOf(model), null, zip);
        var cost = OwnProcess.Best(5, () => OwnProcess.Run("first-score", zip, queries[0]));
        yield return ("first_score_seconds", new(cost.Seconds, 2, "s"));
        yield return ("first_score_resident", Measured(cost.Megabytes, "MB"));
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Verdict
    {
        public float Score { get; set; }
    }
}
