// Own words for a product's defects, and a threshold where the line wants it.
//   OwnPromptsAndThresholds DATASET [EPOCHS [SIDE]]
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Text;

if (args.Length is 0 or > 3
    || !int.TryParse(args.ElementAtOrDefault(1) ?? "5", CultureInfo.InvariantCulture, out var epochs)
    || !int.TryParse(args.ElementAtOrDefault(2) ?? "224", CultureInfo.InvariantCulture, out var side))
{
    Console.Error.WriteLine("Usage: OwnPromptsAndThresholds DATASET [EPOCHS [SIDE]] "
        + "(a folder with good/ beside folders of defects, or as MVTec AD has it)");
    return 2;
}

try
{
    var ml = new MLContext(seed: 1);
    var train = ml.Data.LoadAnomalyDataset(args[0], split: DatasetSplit.Train);
    var test = ml.Data.LoadAnomalyDataset(args[0], split: DatasetSplit.Test);

    // What a good and a bad part look like, in the words of those who inspect it. "{}" stands for the class's name.
    var prompts = new PromptEnsemble(
        ["a photo of a clean {}.", "a photo of an intact {}."],
        ["a photo of a scratched {}.", "a photo of a stained {}.", "a photo of a chipped {}."]);
    var products = train.GetColumn<string>("ClassName").Distinct().ToArray();
    var options = new KagPromptOptions
    {
        Backbone = new() { Name = "compact" },
        Training = new() { Epochs = epochs },
        Images = new() { Size = side },
        Columns = new() { ClassName = "ClassName" },
        Prompt = new() { Sentences = products.ToDictionary(product => product, _ => prompts) },
        // No defect has been seen yet: the threshold rests on how good parts score. At most one in ten of them may be called bad.
        Threshold = new() { By = ThresholdChoice.FalseRejectRate, FalseRejectRate = 0.1f },
    };
    using var model = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag(options)).Fit(train);
    foreach (var product in products)
    {
        // Where the threshold came from, and what may be expected of it.
        Console.WriteLine($"{product}: {model.LastTransformer.Calibration(product).Explanation}");
    }

    Report("as fitted", model.LastTransformer);

    // The first product's line must not stop for a good part: at the worst of those that are known.
    // The weights are shared, nothing is fitted again.
    using var lenient = model.LastTransformer.WithThreshold(model.LastTransformer.Calibration(products[0]).NormalScores.Max(), products[0]);
    Console.WriteLine($"{products[0]}: {lenient.Calibration(products[0]).Explanation}");
    Report("moved", lenient);
    return 0;

    void Report(string title, KagPromptTransformer transformer)
    {
        var scored = transformer.Transform(ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(test).Transform(test));
        var (calledBad, bad) = (scored.GetColumn<bool>("PredictedLabel").ToArray(), scored.GetColumn<float>("Label").ToArray());
        Console.WriteLine($"{title}: "
            + $"{calledBad.Where((called, i) => called && bad[i] == 0).Count()} of {bad.Count(label => label == 0)} good parts rejected, "
            + $"{calledBad.Where((called, i) => !called && bad[i] == 1).Count()} of {bad.Count(label => label == 1)} bad ones missed");
    }
}
catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine(fault.Message);
    return 3;
}
