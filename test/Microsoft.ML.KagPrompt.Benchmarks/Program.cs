// Prints ratios to a baseline measured in the same run: times of different runs or machines say nothing here.
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Microsoft.ML.KagPrompt.Benchmarks;

// In this process: a project generated elsewhere would not find libtorch.
var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
var config = ManualConfig.Create(DefaultConfig.Instance).AddJob(job)
    .WithArtifactsPath(Path.Combine(Environment.CurrentDirectory, "artifacts", "benchmarks"));
BenchmarkSwitcher.FromTypes([typeof(TrainingBenchmarks), typeof(InspectionBenchmarks)]).Run(args.Length == 0 ? ["--filter", "*"] : args, config);
