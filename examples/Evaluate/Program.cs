// A labelled evaluation: fits on a data set's normal images, scores its test images, and prints the field's metrics.
//   Evaluate DATASET [EPOCHS]
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;

if (args.Length is not (1 or 2) || !int.TryParse(args.ElementAtOrDefault(1) ?? "0", CultureInfo.InvariantCulture, out var epochs))
{
    Console.Error.WriteLine("Usage: Evaluate DATASET [EPOCHS] "
        + "(a folder as MVTec AD, VisA, BTAD or KolektorSDD have it, or good/ beside others, or a manifest)");
    return 2;
}

try
{
    var ml = new MLContext(seed: 1);
    var train = ml.Data.LoadAnomalyDataset(args[0], split: DatasetSplit.Train);
    var test = ml.Data.LoadAnomalyDataset(args[0], split: DatasetSplit.Test);
    var pipeline = ml.Transforms.LoadImages("Image", "", "ImagePath")
        .Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions
        {
            // Training needs a backbone with a text side.
            Backbone = new() { Name = epochs > 0 ? "compact" : new BackboneOptions().Name },
            Training = new() { Epochs = epochs },
            Columns = new() { ClassName = "ClassName", Label = "Label" },
            Memory = new() { MaxSupportImages = 4 },
        }));
    using var model = pipeline.Fit(train);

    // Scored once, kept: each of the evaluations reads the rows.
    var scored = ml.Data.Cache(model.Transform(test), "Score", "AnomalyMap", "Label", "ClassName", "MaskPath");
    var images = ml.AnomalyDetection.EvaluateImages(scored, classNameColumnName: "ClassName");
    var pixels = ml.AnomalyDetection.EvaluatePixels(scored, classNameColumnName: "ClassName");
    foreach (var name in images.PerClass.Keys)
    {
        var (image, pixel) = (images.PerClass[name], pixels.PerClass[name]);
        Console.WriteLine($"{name}: image AUROC {image.Auroc}, F1 {image.F1Max} at {image.F1Threshold}; "
            + $"pixel AUROC {pixel.Auroc}, AUPRO {pixel.Aupro30}");
    }

    foreach (var warning in images.Warnings.Concat(pixels.Warnings))
    {
        Console.WriteLine(warning);
    }

    return 0;
}
catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine(fault.Message);
    return 3;
}
