// Consumer fit ZIP IMAGE... | Consumer load ZIP IMAGE...: prints the bits of every score.
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

var ml = new MLContext(seed: 1);
var rows = ml.Data.LoadFromEnumerable(args[2..].Select(path => new Row { ImagePath = path }));
ITransformer model;
if (args[0] == "fit")
{
    model = ml.Transforms.LoadImages("Image", "", "ImagePath")
        .Append(ml.Transforms.DetectAnomaliesKag("Image", new KagPromptOptions { Backbone = new() { Name = "compact" }, Training = new() { Epochs = 1, BatchSize = 16 }, Images = new() { Size = 112 } }))
        .Fit(rows);
    ml.Model.Save(model, rows.Schema, args[1]);
}
else
{
    model = ml.Model.Load(args[1], out _);
}

foreach (var score in model.Transform(rows).GetColumn<float>("Score"))
{
    Console.WriteLine($"score {BitConverter.SingleToUInt32Bits(score):x8}");
}

internal sealed class Row
{
    public string ImagePath { get; set; } = "";
}
