using System.CommandLine;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt adapt MODEL DATA --out NEW</summary>
internal static class AdaptCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "A trained model's zip; it stays as it is." };
    private static readonly Argument<string> Data = new("DATA")
    {
        Description = "Photographs of good new parts: a data set's folder or manifest, or a folder of images.",
    };
    private static readonly Option<string> Output = new("--out")
    {
        Description = "The adapted model's zip. It appears whole or not at all.",
        Required = true,
    };
    private static readonly Option<DatasetLayout> Layout = new("--layout")
    {
        Description = "How the data set is laid out.",
        DefaultValueFactory = _ => DatasetLayout.Auto,
        CustomParser = Typed.Choice<DatasetLayout>,
    };
    private static readonly Option<string?> Class = new("--class")
    {
        Description = "What the parts are; the product's folder name unless given. A class the model knows is replaced; others stay.",
    };
    private static readonly Option<int> Support = new("--support")
    {
        Description = "Most images a class, the first of them by name; all unless given.",
        CustomParser = Typed.Whole(1),
    };
    private static readonly Option<string[]> Regions = RegionOption.Create();
    private static readonly Option<string> Device = DeviceOption.Create();

    public static Verb Create()
    {
        var command = new Verb("adapt", "Gives a trained model the memory and threshold of new parts, in one pass and without training.")
        {
            Model, Data, Output, Layout, Class, Support, Regions, Device,
        };
        command.SetGuardedAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (zip, device) = (parsed.GetRequiredValue(Model), parsed.Usable(Device));
        OutputPlace.RequireFile(parsed.GetRequiredValue(Output), SavedModel.Size(zip));
        var most = parsed.GetValue(Support) is > 0 and var few ? few : int.MaxValue;
        var images = ImageRows.ForFitting(parsed.GetRequiredValue(Data), parsed.GetValue(Layout), parsed.GetValue(Class), most);
        var regions = RegionOption.Read(parsed.GetValue(Regions), images.Select(image => image.ClassName));
        cancellation.ThrowIfCancellationRequested();
        using var model = ZipModel.Load(zip, device);
        var rows = ImageRows.ToDataView(new MLContext(seed: 1), images);
        using var adapted = model.Transformer.WithSupport(rows, regions);
        cancellation.ThrowIfCancellationRequested();
        SavedModel.Save(adapted, rows.Schema, parsed.GetRequiredValue(Output));
        ModelSummary.Write(adapted, parsed.GetRequiredValue(Output));
        ModelSummary.WriteWarnings(adapted, images.Select(image => image.ClassName).Distinct());
        return ExitCode.Success;
    }
}
