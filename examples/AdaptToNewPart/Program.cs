// A trained model learns a new part from a few photographs, without training: new memory bank, new threshold, the same prompt.
//   AdaptToNewPart MODEL.zip FOLDER_OF_GOOD_PARTS NEW_MODEL.zip [CLASS]
using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

if (args.Length is not (3 or 4))
{
    Console.Error.WriteLine("Usage: AdaptToNewPart MODEL.zip FOLDER_OF_GOOD_PARTS NEW_MODEL.zip [CLASS] "
        + "(QuickStart writes a model to artifacts/demo/part.zip)");
    return 2;
}

try
{
    // A model without a class column knows one part, which the new one takes the place of; with one, the new part is added under its name.
    var className = args.Length == 4 ? args[3] : InspectionOptions.DefaultClassName;
    var ml = new MLContext(seed: 1);
    var photographs = AnomalyDataset.List(args[1]).Where(image => image is { Split: DatasetSplit.Train, IsAnomalous: not true })
        .Select(image => new Photograph { ImagePath = Path.GetFullPath(image.Path), ClassName = className }).ToArray();
    var rows = ml.Data.LoadFromEnumerable(photographs);

    var loaded = ml.Model.Load(args[0], out _);
    using var owned = loaded as IDisposable;
    var trained = ((IEnumerable<ITransformer>)loaded).OfType<KagPromptTransformer>().Single();
    if (trained.Options.Columns.ClassName is null && args.Length == 4)
    {
        Console.Error.WriteLine($"'{args[0]}' knows no classes, so CLASS cannot be used: expected a model that was fitted with "
            + $"ClassNameColumnName = \"{nameof(Photograph.ClassName)}\".");
        return 3;
    }

    // The new model is images in, verdicts out, as the old one was: it loads and scores the same way.
    var images = ml.Transforms.LoadImages(trained.Options.Columns.Image, "", nameof(Photograph.ImagePath)).Fit(rows);
    using var adapted = trained.WithSupport(images.Transform(rows));
    ml.Model.Save(images.Append(adapted), rows.Schema, args[2]);

    Console.WriteLine($"{photographs.Length} photographs of '{className}'. "
        + $"{adapted.Calibration(adapted.Options.Columns.ClassName is null ? null : className).Explanation}");
    Console.WriteLine($"Saved to {args[2]}. It knows {string.Join(", ", adapted.Model.ClassNames.Order().Select(name => $"'{name}'"))}.");
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

    public string ClassName { get; set; } = "";
}
