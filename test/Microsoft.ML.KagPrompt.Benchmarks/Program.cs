// Prints ratios to a baseline measured in the same run: times of different runs or machines say nothing here.
//   (nothing), or --quick                                   what this version must reach, as JSON; --quick leaves the full-size parts out
//       [--vocabulary FILE] [--folder DIR]                  CLIP's bpe_simple_vocab_16e6.txt.gz, and where six gigabytes of random weights go
//       [--photographs DIR,DIR]                             data sets of real products
//       [--gpu-alone]                                       where a CUDA device is present: its figures, without the processor's
//       [--training-alone]                                  training on the processor over the arithmetic that it needs, without the rest
//       [--onnx-alone]                                      an exported file beside its model, and how a process of either starts
//       Where they are not named, they are looked for in ../shared.
//   parts [ARGUMENTS]                                       training and inspection part by part; the arguments go to BenchmarkDotNet
//   full-size PRESET FOLDER VOCABULARY [TYPE]               imagebind-huge or openclip-vit-h-14 with random weights, from checkpoint to scores
//   schedule PRESET FOLDER VOCABULARY                       the published pipeline's order of work beside this library's
//   growth DEVICE [SVG]                                     what an image costs as its side, supports, batch or classes grow (resnet18)
//   towers                                                  every published vision tower's time beside the compact one's
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Benchmarks;
using Microsoft.ML.KagPrompt.Benchmarks.Bars;
using Microsoft.ML.KagPrompt.Benchmarks.FullSize;

switch (args)
{
    case [] or ["--quick" or "--vocabulary" or "--folder" or "--photographs" or "--gpu-alone" or "--training-alone" or "--onnx-alone", ..]:
        NativeHeap.Keep();
        var alone = args.Contains("--gpu-alone") ? BarPart.Gpu : args.Contains("--training-alone") ? BarPart.Training
            : args.Contains("--onnx-alone") ? BarPart.Onnx : BarPart.All;
        BarRun.Run(args.Contains("--quick"), alone, Option("--vocabulary") ?? Shared("weights/bpe_simple_vocab_16e6.txt.gz"),
            Option("--folder") ?? Path.Combine("artifacts", "benchmarks"),
            Option("--photographs")?.Split(',') ?? [.. new[] { "data/aws_cookie", "data/magnetic_tile" }.Select(Shared).OfType<string>()]);
        return;
    case ["first-score", var zip, var image]:
        EmbeddedBars.Score(zip, image);
        return;
    case ["full-size", var preset, var folder, var vocabulary, .. var type]:
        FullSizeRun.Run(preset, folder, vocabulary, type.Length > 0 ? Enum.Parse<WeightType>(type[0]) : WeightType.BFloat16);
        return;
    case ["schedule", var preset, var folder, var vocabulary]:
        PublishedSchedule.Run(FullSizeRun.Prepare(preset, folder, vocabulary, WeightType.BFloat16));
        return;
    case ["growth", var device, .. var picture]:
        Growth.Run(device, picture.FirstOrDefault());
        return;
    case ["towers"]:
        TowerSpeeds.Run();
        return;
    case ["full-size-read", .. var paths]:
        FullSizeRun.Read(paths);
        return;
    case ["full-size-score", var zip, .. var images]:
        FullSizeRun.Score(zip, images);
        return;
}

if (args is not ["parts", ..])
{
    Console.Error.WriteLine($"'{args[0]}' is no run of this program: see the head of {nameof(Program)}.cs.");
    Environment.ExitCode = 2;
    return;
}

// In this process: a project generated elsewhere would not find libtorch.
var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
var config = ManualConfig.Create(DefaultConfig.Instance).AddJob(job)
    .WithArtifactsPath(Path.Combine(Environment.CurrentDirectory, "artifacts", "benchmarks"));
BenchmarkSwitcher.FromTypes([typeof(TrainingBenchmarks), typeof(InspectionBenchmarks)]).Run(args.Length == 1 ? ["--filter", "*"] : args[1..], config);

static string? Shared(string name) => Path.Combine("..", "shared", name) is var path && Path.Exists(path) ? path : null;

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
