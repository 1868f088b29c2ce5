// From a folder of photographs to a saved, reloaded, scoring model. Without a folder it renders parts of its own.
//   QuickStart [FOLDER] [--out DIRECTORY] [--epochs N]
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using QuickStart;

// The process is the program's own: networks run faster where its heap keeps what they free.
NativeHeap.Keep();
var output = "artifacts/demo";
string? folder = null;
var epochs = new TrainingOptions().Epochs;
for (var i = 0; i < args.Length; i++)
{
    if (args[i] == "--out" && i + 1 < args.Length)
    {
        output = args[++i];
    }
    else if (args[i] == "--epochs" && i + 1 < args.Length && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out epochs))
    {
        i++;
    }
    else
    {
        folder = args[i];
    }
}

try
{
    Directory.CreateDirectory(output);
    if (folder is null)
    {
        folder = Path.Combine(output, "parts");
        PartRenderer.WriteDataset(folder, seed: 1);
        Console.WriteLine($"Rendered stamped washers, good and defective, into {folder}");
    }

    var files = AnomalyDataset.List(folder);
    var train = files.Where(file => file.Split == DatasetSplit.Train).ToList();
    var queries = files.Where(file => file.Split == DatasetSplit.Test).ToList();
    if (queries.Count == 0)
    {
        // Plain photographs: every fourth is kept aside to be scored.
        queries = [.. train.Where((_, i) => i % 4 == 3)];
        train = [.. train.Except(queries)];
    }

    // ---- what a user writes ----
    var ml = new MLContext(seed: 1);
    var normalImages = ml.Data.LoadFromEnumerable(train.Select(file => new Photograph { ImagePath = Path.GetFullPath(file.Path) }));
    var toScore = ml.Data.LoadFromEnumerable(queries.Select(file => new Photograph { ImagePath = Path.GetFullPath(file.Path) }));
    var pipeline = ml.Transforms.LoadImages("Image", "", "ImagePath")
        .Append(ml.Transforms.DetectAnomaliesKag("Image", new KagPromptOptions
        {
            // Training needs a backbone with a text side.
            Backbone = new() { Name = epochs > 0 ? "compact" : new BackboneOptions().Name },
            Training = new() { Epochs = epochs },
            Progress = new ProgressBar(),
        }));
    using var model = pipeline.Fit(normalImages);
    var scored = model.Transform(toScore);

    var zip = Path.Combine(output, "part.zip");
    ml.Model.Save(model, normalImages.Schema, zip);
    var again = ml.Model.Load(zip, out _);
    // ----------------------------

    var results = Results.Read(scored, queries);
    var reloaded = Results.Read(again.Transform(toScore), queries);
    (again as IDisposable)?.Dispose();
    if (!results.SameBitsAs(reloaded))
    {
        Console.Error.WriteLine("The reloaded model scores differently from the one that was saved.");
        return 1;
    }

    Console.WriteLine($"Saved to {zip} ({new FileInfo(zip).Length / 1e6:0.0} MB), reloaded: the same scores and maps, bit for bit.");
    var threshold = model.LastTransformer.Calibration();
    results.Print(Console.Out, threshold);
    var page = results.WritePictures(output, model.LastTransformer, $"{train.Count} normal images, {queries.Count} scored");
    Console.WriteLine($"Pictures: {Path.GetFullPath(page)}");
    return 0;
}
catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine(fault.Message);
    return 3;
}

internal sealed class Photograph
{
    public string ImagePath { get; set; } = "";
}
