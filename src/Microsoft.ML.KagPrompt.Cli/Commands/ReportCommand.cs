using System.CommandLine;
using System.Globalization;
using System.Text;
using Microsoft.ML.KagPrompt.Cli.Reports;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt report MODEL --data DIR --html FILE [--split test|all] …</summary>
internal static class ReportCommand
{
    private const int MostPictures = 1000;

    private static readonly Argument<string> Model = new("MODEL")
    {
        Description = "A model zip, from 'kagprompt fit' or mlContext.Model.Save.",
    };
    private static readonly Option<string> Data = new("--data") { Description = "A data set's folder or manifest.", Required = true };
    private static readonly Option<DatasetLayout> Layout = new("--layout")
    {
        Description = "How the data set is laid out.",
        DefaultValueFactory = _ => DatasetLayout.Auto,
        CustomParser = Typed.Choice<DatasetLayout>,
    };
    private static readonly Option<string> Page = new("--html")
    {
        Description = "The page to write. It appears whole or not at all.",
        Required = true,
    };
    private static readonly Option<ReportSplit> Split = new("--split")
    {
        Description = "test: the images meant for scoring; all: also those meant for fitting, whose scores flatter the model.",
        DefaultValueFactory = _ => ReportSplit.Test,
        CustomParser = Typed.Choice<ReportSplit>,
    };
    private static readonly Option<int> Pictures = new("--pictures")
    {
        Description = $"How many images are shown, worst first, 0 to {MostPictures}; each adds some 40 kB.",
        DefaultValueFactory = _ => 60,
        CustomParser = Typed.Whole(0, MostPictures),
    };
    private static readonly Option<string> Device = DeviceOption.Create();

    public static Verb Create()
    {
        var command = new Verb("report", "Scores a data set and writes one page: scores and threshold, ROC curve, "
            + "figures by kind of defect, pictures worst first with sliders. It opens offline. Exits with 3 where an image or a mask "
            + "could not be used; the page has the others and says which.")
        {
            Model, Data, Layout, Page, Split, Pictures, Device,
        };
        command.SetGuardedAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (zip, data, split, page) = (parsed.GetRequiredValue(Model), parsed.GetRequiredValue(Data), parsed.GetValue(Split),
            Path.GetFullPath(parsed.GetRequiredValue(Page)));
        OutputPlace.RequireFile(parsed.GetRequiredValue(Page));
        var device = ExportedModel.IsOne(zip) ? parsed.GetRequiredValue(Device) : parsed.Usable(Device);
        var all = AnomalyDataset.List(data, parsed.GetValue(Layout), mask => DefectMask.Read(mask).ShowsDefect);
        var images = all.Where(image => split == ReportSplit.All || image.Split == DatasetSplit.Test).ToArray();
        if (images.Length == 0)
        {
            throw new InsufficientDataException($"'{data}' holds no images meant for scoring: all are meant for fitting. "
                + "Use --split all to score those, or name the layout with --layout.");
        }

        var root = Path.GetFullPath(Directory.Exists(data) ? data : Path.GetDirectoryName(Path.GetFullPath(data))!);
        using var scorer = ImageScorer.Load(zip, device);
        (IReadOnlyList<ReportItem> Items, IReadOnlyList<ReportPixels> Pixels) report = ([], []);
        ReportRun? run = null;
        ItemProgress.Show("scoring",
            progress => report = (run = new ReportRun(scorer, root, parsed.GetValue(Pictures), progress)).Gather(images, cancellation));
        string[] unused = [.. run!.MaskFaults, .. DataNotes.LeftOut(data, root)];
        string[] notes = [.. unused, .. split == ReportSplit.All ? [] : DataNotes.Shared(all, root), .. run.Unknown];
        WholeFile.Write(page, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
            HtmlReport.Write(writer, new ReportPage
            {
                Title = $"Inspection report: {Path.GetFileName(root)}",
                Facts =
                [
                    ("Model", Path.GetFullPath(zip)),
                    ("Data", $"{Path.GetFullPath(data)} ({(split == ReportSplit.All ? "all images" : "test images")})"),
                    ("Made", TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
                ],
                Items = report.Items,
                Pixels = report.Pixels,
                Notes = notes,
            });
        });
        var size = new FileInfo(page).Length;
        Console.WriteLine($"{page}: {report.Items.Count} images, {report.Items.Count(item => item.Picture is not null)} with pictures, "
            + $"{(size < 1_000_000 ? $"{size / 1000} kB" : string.Create(CultureInfo.InvariantCulture, $"{size / 1e6:0.0} MB"))}");
        var faults = report.Items.Count(item => item.Fault is not null);
        if (faults > 0)
        {
            Console.Error.WriteLine($"{faults} image(s) could not be read; the page says why.");
        }

        foreach (var note in notes)
        {
            Console.Error.WriteLine(note);
        }

        return faults > 0 || unused.Length > 0 ? ExitCode.BadInput : ExitCode.Success;
    }
}
