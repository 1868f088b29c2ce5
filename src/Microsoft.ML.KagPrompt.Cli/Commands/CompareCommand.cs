using System.CommandLine;
using System.Globalization;
using System.Text;
using Microsoft.ML.KagPrompt.Cli.Evaluation;
using Microsoft.ML.KagPrompt.Cli.Reports;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt compare DATA [--backbone B] [--shots K] [--methods a,b] …</summary>
internal static class CompareCommand
{
    private const string PageName = "comparison.html";

    private static readonly InspectionOptions Defaults = new();
    private static readonly Argument<string> Data = new("DATA")
    {
        Description = "A folder of photographs of good parts, or a data set's folder or manifest.",
    };
    private static readonly Option<DatasetLayout> Layout = new("--layout")
    {
        Description = "How the data set is laid out.",
        DefaultValueFactory = _ => DatasetLayout.Auto,
        CustomParser = Typed.Choice<DatasetLayout>,
    };
    private static readonly Option<string?> Class = new("--class")
    {
        Description = "What the parts are, in words the prompts can use; the product's folder name unless given.",
    };
    private static readonly Option<string[]> Methods = MethodOption.CreateComparison();
    private static readonly Option<int?> Shots = new("--shots")
    {
        Description = "Photographs of each product that are fitted on; all unless given.",
        CustomParser = Typed.WholeOrNone(1, 10_000),
    };
    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "Of everything random, the draw of the photographs included.",
        DefaultValueFactory = _ => 0,
        CustomParser = Typed.Whole(),
    };
    private static readonly Option<string> Backbone = NetworkOptions.Backbone();
    private static readonly Option<int?> Size = NetworkOptions.Size();

    private static readonly Option<int> Tiles = NetworkOptions.Tiles();
    private static readonly Option<string[]> Regions = RegionOption.Create();
    private static readonly Option<string> Device = DeviceOption.Create();
    private static readonly Option<string?> Output = new("--out")
    {
        Description = $"Folder for {PageName}: the ranking, and the same images under every method.",
    };
    private static readonly Option<bool> Json = new("--json") { Description = "Write JSON instead of a table." };

    public static Verb Create()
    {
        var command = new Verb("compare", "Fits every method that the backbone allows on the same photographs and ranks them: by labelled "
            + "test images where there are any, else by synthetic defects on photographs that are left out.")
        {
            Data, Layout, Class, Methods, Shots, Seed, Backbone, Size, Tiles, Regions, Device, Output, Json,
        };
        command.SetGuardedAction(Run);
        return command;
    }

    private static void Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (data, folder) = (parsed.GetRequiredValue(Data), parsed.GetValue(Output));
        OutputPlace.RequireFolder(folder);
        var dataset = List(data, parsed.GetValue(Layout), parsed.GetValue(Class));
        var options = new InspectionOptions
        {
            Backbone = new() { Name = parsed.GetRequiredValue(Backbone) },
            Images = new() { Size = parsed.GetValue(Size), Tiles = parsed.GetValue(Tiles) },
            Regions = RegionOption.Read(parsed.GetValue(Regions), dataset.Images.Select(image => image.ClassName)),
            Device = parsed.Usable(Device),
            Seed = parsed.GetValue(Seed),
        };
        var choices = new ComparisonChoices { Shots = parsed.GetValue(Shots) };
        if (parsed.GetValue(Methods) is { Length: > 0 } named)
        {
            choices = choices with { Methods = [.. named.Select(InspectionMethods.Default)] };
        }

        if (folder is null)
        {
            choices = choices with { Pictures = 0 };
        }

        var results = MethodComparison.Run(
            dataset, options, new EvaluationFiles(options.Images), choices, new ErrorStream(), cancellation);
        foreach (var note in results.Notes)
        {
            Console.Error.WriteLine(note);
        }

        if (parsed.GetValue(Json))
        {
            Console.WriteLine(ComparisonOutput.Json(results));
        }
        else
        {
            ComparisonOutput.WriteTable(results);
        }

        if (folder is not null)
        {
            WritePage(Path.Combine(folder, PageName), data, dataset.Name, options.Backbone.Name, results);
        }
    }

    private static FewShotDataset List(string path, DatasetLayout layout, string? className)
    {
        var images = AnomalyDataset.List(path, layout, mask => DefectMask.Read(mask).ShowsDefect);
        var dataset = new FewShotDataset(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))),
            className is null ? images : [.. images.Select(image => image with { ClassName = className })])
        {
            Folder = Directory.Exists(path) ? Path.GetFullPath(path) : Path.GetDirectoryName(Path.GetFullPath(path))!,
        };
        foreach (var note in DataNotes.LeftOut(path, dataset.Folder))
        {
            Console.Error.WriteLine(note);
        }

        new PhotographCheck(Console.Error.WriteLine)
            .Run([.. dataset.Images.Where(image => image.Split == DatasetSplit.Train)]);
        return dataset;
    }

    private static void WritePage(string page, string data, string name, string backbone, ComparisonResults results)
    {
        WholeFile.Write(page, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
            ComparisonReport.Write(
                writer,
                $"Methods compared: {name}",
                [
                    ("Data", Path.GetFullPath(data)),
                    ("Backbone", backbone),
                    ("Ranked by", results.IsByLabels ? "labelled test images" : "synthetic defects on photographs that were left out"),
                    ("Made", TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
                ],
                results,
                picture => ImageCodec.EncodeJpeg(picture));
        });
        Console.Error.WriteLine(page);
    }

    /// <summary>Reported on the thread that works, in order.</summary>
    private sealed class ErrorStream : IProgress<FewShotProgress>
    {
        public void Report(FewShotProgress value)
            => Console.Error.WriteLine(FormattableString.Invariant($"{value.Message} ({value.Done} of {value.Total})"));
    }
}
