// Prints ratios to a baseline measured in the same run: times of different runs or machines say nothing here.
//   (nothing)                                               all benchmarks of the compact backbone
//   full-size PRESET FOLDER VOCABULARY [TYPE]               imagebind-huge or openclip-vit-h-14 with random weights, from checkpoint to scores
//   schedule PRESET FOLDER VOCABULARY                       the published pipeline's order of work beside this library's
//   towers                                                  every published vision tower's time beside the compact one's
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Benchmarks;
using Microsoft.ML.KagPrompt.Benchmarks.FullSize;

switch (args)
{
    case ["full-size", var preset, var folder, var vocabulary, .. var type]:
        FullSizeRun.Run(preset, folder, vocabulary, type.Length > 0 ? Enum.Parse<WeightType>(type[0]) : WeightType.BFloat16);
        return;
    case ["schedule", var preset, var folder, var vocabulary]:
        PublishedSchedule.Run(FullSizeRun.Prepare(preset, folder, vocabulary, WeightType.BFloat16));
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

// In this process: a project generated elsewhere would not find libtorch.
var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
var config = ManualConfig.Create(DefaultConfig.Instance).AddJob(job)
    .WithArtifactsPath(Path.Combine(Environment.CurrentDirectory, "artifacts", "benchmarks"));
BenchmarkSwitcher.FromTypes([typeof(TrainingBenchmarks), typeof(InspectionBenchmarks)]).Run(args.Length == 0 ? ["--filter", "*"] : args, config);
