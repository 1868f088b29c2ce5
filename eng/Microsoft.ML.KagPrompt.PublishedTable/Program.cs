// Runs the paper's two evaluations across data sets with the checkpoints that its authors published, by their fixed draws, and prints the
// difference to Table 1, cell by cell.
//   dotnet run -c Release --project eng/Microsoft.ML.KagPrompt.PublishedTable -- --backbone imagebind_huge.pth --mvtec DIR --visa DIR
//       --trained-on-mvtec train_on_mvtec.pt --trained-on-visa train_on_visa.pt [--shots 1,2,4] [--out DIR: of cells, from which a stopped run goes on]
// Beside the backbone's file: CLIP's bpe_simple_vocab_16e6.txt.gz. One of the two pairs of a data set and a checkpoint may be left out.
// What differs from the authors' run is known and stays: masks are cropped as their images are (theirs of MVTec AD are stretched beside cropped
// images), and cut at half (theirs at 0.1 and at one percent); means are of unrounded figures.
using System.Globalization;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Cli.Evaluation;
using Microsoft.ML.KagPrompt.Diagnostics;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var given = args.Chunk(2).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
string[] known = ["--backbone", "--mvtec", "--visa", "--trained-on-mvtec", "--trained-on-visa", "--shots", "--out", "--device"];
(string Name, string? Folder, string? Checkpoint)[] runs =
[
    ("mvtec", given.GetValueOrDefault("--mvtec"), given.GetValueOrDefault("--trained-on-visa")),
    ("visa", given.GetValueOrDefault("--visa"), given.GetValueOrDefault("--trained-on-mvtec")),
];
var whole = runs.Where(run => run is { Folder: not null, Checkpoint: not null }).ToArray();
if (!given.TryGetValue("--backbone", out var backbone) || whole.Length == 0 || args.Length % 2 != 0 || given.Keys.Except(known).Any())
{
    Console.Error.WriteLine($"Expected {string.Join(", ", known)}, each with a value: a backbone, and a data set with the checkpoint that was "
        + "trained on the other one.");
    return 2;
}

NativeHeap.Keep();
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) => (pressed.Cancel = true).Equals(stop.CancelAsync());
var kag = PaperSystem.All.Single(system => system.Method == "kag");
Console.WriteLine("data set, shots: image AUROC here, published, difference; pixel AUROC here, published, difference");
try
{
    foreach (var (name, folder, checkpoint) in whole)
    {
        var options = new InspectionOptions
        {
            Backbone = new() { Name = backbone },
            // As the released evaluation does, which is not how the released training sees images.
            Images = new() { ResizeMode = ResizeMode.CropShortSide, MapUpsampling = MapUpsampling.AlignedCorners },
            Method = new KagOptions
            {
                Prompt = new() { Variant = GraphVariant.Released, CheckpointPath = checkpoint },
                Fusion = ScoreFusion.Paper,
                Memory = new() { Views = SupportViews.AsGiven },
                Coreset = CoresetOptions.Off,
                Training = new() { Epochs = 0 },
            },
            Device = given.GetValueOrDefault("--device", "auto"),
        };
        var dataset = new FewShotDataset(name, AnomalyDataset.List(folder!))
        {
            Folder = folder, Layout = AnomalyDataset.LayoutOf(folder!),
        };
        var protocol = new FewShotProtocol
        {
            Shots = [.. given.GetValueOrDefault("--shots", "1,2,4").Split(',').Select(shots => int.Parse(shots, CultureInfo.InvariantCulture))],
            Draws = 1,
            SupportDraw = SupportDraw.Paper,
            CellFolder = given.TryGetValue("--out", out var cells) ? Path.Combine(cells, name) : null,
        };
        var results = FewShotEvaluation.Run([dataset], options, new EvaluationFiles(options.Images), protocol, cancellationToken: stop.Token);
        foreach (var row in FewShotSummary.PerDataset(results.Cells).Where(row => row.Dataset != FewShotSummary.AllSets))
        {
            var published = PublishedFigures.Find(name, row.Shots, kag);
            Console.WriteLine($"{name}, {row.Shots}: {Cell(row.Figures["image_auroc"].Mean, published?.ImageAuroc)}; "
                + Cell(row.Figures["pixel_auroc"].Mean, published?.PixelAuroc));
        }

        foreach (var warning in results.Warnings.Append(PublishedFigures.NoteOn(name, results.Cells.Select(cell => cell.Class).Distinct().Count())))
        {
            Console.Error.WriteLine(warning);
        }
    }

    return 0;
}
catch (Exception fault) when (fault is KagPromptException or IOException or ArgumentException or OperationCanceledException)
{
    Console.Error.WriteLine(fault.Message);
    return 3;
}

static string Cell(double? here, double? published) => here is null ? "–"
    : published is null ? $"{100 * here:0.00}, –, –"
    : $"{100 * here:0.00}, {100 * published:0.0}, {100 * (here - published):+0.00;-0.00}";
