// Few-shot figures of data sets in MVTec AD's layout: the memory bank alone, and after training on train/good.
//   Evaluate FOLDER... [--shots 4] [--draws 3] [--epochs 10] [--batch 16] [--bank-only]
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;

var folders = new List<string>();
var settings = new Dictionary<string, int> { ["--shots"] = 4, ["--draws"] = 3, ["--epochs"] = 10, ["--batch"] = 16 };
var bankOnly = false;
for (var i = 0; i < args.Length; i++)
{
    if (args[i] == "--bank-only")
    {
        bankOnly = true;
    }
    else if (settings.ContainsKey(args[i]) && i + 1 < args.Length && int.TryParse(args[++i], CultureInfo.InvariantCulture, out var value) && value >= 0)
    {
        settings[args[i - 1]] = value;
    }
    else if (Directory.Exists(args[i]))
    {
        folders.Add(args[i]);
    }
    else
    {
        Console.Error.WriteLine($"Not understood: '{args[i]}'. Usage: Evaluate FOLDER... [--shots 4] [--draws 3] [--epochs 10] [--batch 16] [--bank-only]");
        return 2;
    }
}

Console.WriteLine($"{settings["--shots"]} support images, mean of {settings["--draws"]} draws, image / pixel AUROC in percent");
foreach (var folder in folders)
{
    var bank = Mean(draw => Evaluate(folder, draw, epochs: 0));
    Console.WriteLine(FormattableString.Invariant($"{Path.GetFileName(folder.TrimEnd('/')),-20} bank alone     {bank.Image:0.00} / {bank.Pixel:0.00}"));
    if (!bankOnly)
    {
        var trained = Mean(draw => Evaluate(folder, draw, settings["--epochs"]));
        Console.WriteLine(FormattableString.Invariant($"{Path.GetFileName(folder.TrimEnd('/')),-20} after training {trained.Image:0.00} / {trained.Pixel:0.00}"));
    }
}

return 0;

(double Image, double Pixel) Mean(Func<int, (double Image, double Pixel)> evaluate)
{
    var results = Enumerable.Range(0, settings["--draws"]).Select(evaluate).ToArray();
    return (100 * results.Average(result => result.Image), 100 * results.Average(result => result.Pixel));
}

(double Image, double Pixel) Evaluate(string folder, int draw, int epochs)
{
    var files = InspectionFolder.List(folder);
    var train = files.Where(file => file.IsTraining).ToArray();
    var order = Enumerable.Range(0, train.Length).ToArray();
    new Random(draw).Shuffle(order);
    var support = order.Take(settings["--shots"]).ToHashSet();
    var rows = train.Select((file, i) => new Row { ImagePath = Path.GetFullPath(file.Path), IsSupport = support.Contains(i) });

    var ml = new MLContext(seed: draw);
    var pipeline = ml.Transforms.LoadImages("Image", "", nameof(Row.ImagePath))
        .Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Epochs = epochs, BatchSize = settings["--batch"], SupportColumnName = nameof(Row.IsSupport) }));
    using var model = pipeline.Fit(ml.Data.LoadFromEnumerable(rows));

    var test = files.Where(file => !file.IsTraining).ToArray();
    var scored = model.Transform(ml.Data.LoadFromEnumerable(test.Select(file => new Row { ImagePath = Path.GetFullPath(file.Path) })));
    var scores = scored.GetColumn<float>("Score").ToArray();
    var maps = scored.GetColumn<float[]>("AnomalyMap").SelectMany(map => map).ToArray();
    var side = (int)Math.Sqrt(maps.Length / test.Length);
    var masks = test.SelectMany(file => Mask(file, side)).ToArray();
    return (RocMetrics.Auroc(scores, [.. test.Select(file => file.IsAnomalous == true)]), RocMetrics.Auroc(maps, masks));
}

static IEnumerable<bool> Mask(InspectionFile file, int side)
{
    if (file.MaskPath is null)
    {
        return new bool[side * side];
    }

    using var mask = MLImage.CreateFromFile(file.MaskPath);
    var grey = mask.Pixels.ToArray().Where((_, i) => i % 4 == 1).ToArray();
    return new ImagePreprocessor(side, ResizeMode.Stretch, [0f, 0f, 0f], [1f, 1f, 1f]).ResizeMask(grey, mask.Width, mask.Height).Select(value => value > 127);
}

internal sealed class Row
{
    public string ImagePath { get; set; } = "";

    public bool IsSupport { get; set; }
}
