// Changes one line of the wiring at a time and looks whether a test notices. By hand and weekly; minutes a mutant.
//
//   dotnet run eng/mutants/mutants.cs                        all mutants
//   dotnet run eng/mutants/mutants.cs -- NAME...             some
//   dotnet run eng/mutants/mutants.cs -- --list              their names
//   dotnet run eng/mutants/mutants.cs -- --thorough          where the tests named for a mutant let it live, their whole project
//
// The tree's tracked files, as they are now, are copied to a temporary folder; nothing here is changed. A mutant whose old text is not found exactly once in its
// file is refused: mend its line below. "killed": a test failed; "survived": all passed; "broken": it did not build. Exit code 0 when all were killed.
using System.Diagnostics;
using System.Runtime.CompilerServices;

const string Core = "src/Microsoft.ML.KagPrompt.Core/";
const string OnnxTests = "test/Microsoft.ML.KagPrompt.Onnx.Tests";

Mutant[] mutants =
[
    new("score-of-the-normal-prompt", "Methods/Kag/KagMethod.cs", "similarities.select(1, 1)", "similarities.select(1, 0)", "InspectionByHandTests|PaperGoldenTests"),
    new("gamma-swapped-in-the-score", "Methods/Common/ImageScore.cs", "promptScore.Times(gamma).Plus(topMean.Times(1.0 - gamma))", "promptScore.Times(1.0 - gamma).Plus(topMean.Times(gamma))", "InspectionByHandTests"),
    new("gamma-swapped-in-the-map", "Methods/Kag/MapFusion.cs", "promptMap.Times(gamma).Plus(memoryMap.Times(1.0 - gamma))", "promptMap.Times(1.0 - gamma).Plus(memoryMap.Times(gamma))", "InspectionByHandTests"),
    new("largest-of-the-memory-map", "Methods/Kag/KagMethod.cs", "ImageScore.TopMean(map, fusion.TopK, region", "ImageScore.TopMean(memoryMap ?? map, fusion.TopK, region", "InspectionByHandTests"),
    new("grids-of-taps-reversed", "Methods/Kag/KagMethod.cs", ": sizes.Memory.TapGrids(sizes.ImageSize);", ": [.. sizes.Memory.TapGrids(sizes.ImageSize).Reverse()];", "InspectionByHandTests"),
    new("cells-shifted-the-other-way", "Backbones/IVisionTower.cs", "middle + shift.Down", "middle - shift.Down", "InspectionByHandTests|MapPlacementTests"),
    new("map-transposed", "Numerics/PatchGrid.cs", "patches.reshape(-1, Rows, Columns)", "patches.reshape(-1, Rows, Columns).transpose(1, 2)", "InspectionByHandTests|ScoringTests"),
    new("bank-of-another-class", "Model/KagPromptModel.Chunks.cs", "= Network.Score(features, state.Reference.Value,", "= Network.Score(features, classes.Values.First().Reference.Value,", "InspectionByHandTests"),
    new("supports-not-turned", "Fitting/ViewsOfSupport.cs", ".Rotate90(kind.Turns)", ".Rotate90(0 * kind.Turns)", "InspectionByHandTests"),
    new("threshold-compared-reversed", "../Microsoft.ML.KagPrompt.Primitives/Calibration/ThresholdCalibration.cs", "!(score <= Threshold) ||", "!(score >= Threshold) ||", "InspectionByHandTests"),
    new("unlikeness-compared-reversed", "../Microsoft.ML.KagPrompt.Primitives/Calibration/ThresholdCalibration.cs", "unlikeness > UnlikenessLimit", "unlikeness < UnlikenessLimit", "ForeignImageTests|InspectionByHandTests"),
    new("texts-swapped", "Backbones/TextFeatures.cs", "stack([average(prompts.Normal), average(prompts.Abnormal)])", "stack([average(prompts.Abnormal), average(prompts.Normal)])", "InspectionByHandTests"),
    new("text-not-at-unit-length", "Backbones/TextFeatures.cs", ".mean([0]).UnitLength(-1)", ".mean([0])", "CompactBackboneTests|InspectionByHandTests"),
    new("own-sentences-ignored", "Backbones/PromptTexts.cs", "ensemble.For(className)", "PromptEnsemble.Paper(className)", "InspectionByHandTests"),
    new("memory-towers-mean-of-the-other", "Backbones/FeatureEncoder.cs", "images.ResizeMode, MemoryTower.Info.Mean, MemoryTower.Info.Std", "images.ResizeMode, Tower.Info.Mean, Tower.Info.Std", "BackboneFitTests"),
    new("memory-by-the-prompts-tower", "Backbones/ScoringFeatures.cs", "forMemory ?? forPrompt!", "forPrompt ?? forMemory!", "BackboneFitTests"),
    new("labels-inverted", "Methods/Kag/GraphTrainer.cs", "HasDefect ? 1 : 0", "HasDefect ? 0 : 1", "GraphTrainerTests"),
    new("labels-on-the-normal-half", "Methods/Kag/GraphTrainer.cs", "labels[count + i] =", "labels[i] =", "GraphTrainerTests"),
    new("masks-empty", "Methods/Kag/GraphTrainer.cs", "mask[p] ? 1f : 0f", "mask[p] ? 0f : 0f", "GraphTrainerTests"),
    new("masks-of-the-whole-image", "Methods/Kag/GraphTrainer.cs", "mask[p] ? 1f : 0f", "mask[p] ? 1f : 1f", "GraphTrainerTests"),
    new("masks-on-the-normal-half", "Methods/Kag/GraphTrainer.cs", "masks.AsSpan((count + i) * side * side,", "masks.AsSpan(i * side * side,", "GraphTrainerTests"),
    new("text-of-the-first-class", "Methods/Kag/GraphTrainer.cs", "textFeatures[image.ClassName]", "textFeatures[batch.Normal[0].ClassName]", "GraphTrainerTests"),
    new("loss-weights-swapped", "Methods/Kag/GraphTrainer.cs", "labels, training.FocalWeight, DiceWeight)", "labels, DiceWeight, training.FocalWeight)", "GraphTrainerTests"),
    new("gradients-kept", "Methods/Kag/GraphTrainer.cs", "optimizer.ZeroGradients();", "", "GraphTrainerTests"),
    new("passes-not-weighted", "Methods/Kag/GraphTrainer.cs", "loss.Total.Times(share).backward()", "loss.Total.backward()", "GraphTrainerTests"),
    new("clip-ignored", "Methods/Kag/GraphTrainer.cs", "ClipGradients(training.GradientClip)", "ClipGradients(1e9)", "GraphTrainerTests"),
    new("projections-not-centred", "Methods/Kag/GraphTrainer.cs", "centred.Step(Update)", "Update()", "GraphTrainerTests"),
    new("schedule-reversed", "Methods/Common/WarmupLinearSchedule.cs", "Math.Max(0, steps - step)", "Math.Max(0, step - warmup)", "GraphTrainerTests|WarmupLinearScheduleTests"),
    new("decay-of-the-wrong-sign", "Methods/Common/AdamW.cs", "1 - (rate * weightDecay)", "1 + (rate * weightDecay)", "GraphTrainerTests|AdamWTests"),
    new("trained-start-unknown", "Methods/Kag/KagStart.cs", "startsTrained: trained is not null", "startsTrained: trained is null", "KagPromptTrainerTests"),
    new("patches-of-the-image-itself", "Methods/Kag/TwinSource.cs", "while (ReferenceEquals(source, image) && pool.Count > 1)", "while (!ReferenceEquals(source, image))", "TwinSourceTests"),
    new("patches-of-any-class", "Methods/Kag/TwinSource.cs", "same.Length > 1 ? same :", "same.Length > 99 ? same :", "TwinSourceTests"),
    new("bank-keeps-the-image-left-out", "Methods/Kag/KagReferenceBuilder.cs", "supports.Where((_, i) => i != left)", "supports.Where((_, i) => i >= 0)", "LeaveOneOutTests"),
    new("coreset-of-the-nearest", "Methods/Common/FarthestFirst.cs", "likeness[row] < likeness[least]", "likeness[row] > likeness[least]", "FarthestFirstTests|InspectionByHandTests"),
    new("coreset-stands-for-itself", "Methods/Common/FarthestFirst.cs", "standFor[step]++;", "standFor[step] = 1;", "FarthestFirstTests|InspectionByHandTests"),
    new("weights-of-the-bank-reversed", "Methods/Common/MemoryBank.cs", "distances * weights)", "distances * weights.flip(1))", "MemoryBankTests|InspectionByHandTests"),
    new("coreset-bound-ignored", "Methods/Kag/CoresetOptions.cs", "Math.Min(share, bound)", "share", "InspectionByHandTests|LeaveOneOutTests"),
    new("coreset-of-fewer-supports", "Methods/Kag/KagReferenceBuilder.cs", "Without(whole.Coresets ?? Coresets(supports), left)", "Coresets(Without(supports, left))", "LeaveOneOutTests"),
    new("calibration-defects-of-the-image-itself", "Calibration/ThresholdCalibrator.cs", "support[(left + 1) % support.Count].Square", "support[left].Square", "LeaveOneOutTests"),
    new("cells-looks-ignored", "Backbones/Residual/ResidualNetwork.cs", "+ looks.ElementAtOrDefault(tap - 1);", "+ 0;", "ResNet18BackboneTests|MapPlacementTests"),
    new("cells-not-averaged", "Backbones/Residual/ResidualNetwork.cs", "functional.avg_pool2d(map, step / stride, ceil_mode: true)", "functional.max_pool2d(map, step / stride, ceil_mode: true)", "ResNet18BackboneTests"),
    new("contrast-with-the-whole-map", "Methods/Common/ImageScore.cs", "Sigma(maps.shape[^1]), region?.Inspected)", "Sigma(99 * maps.shape[^1]), region?.Inspected)", "InspectionByHandTests"),
    new("contrast-beyond-the-region", "Methods/Common/ImageScore.cs", "region?.Inspected).Times(share)", "null).Times(share)", "RegionInspectionTests"),
    new("exported-contrast-added", "Methods/Common/ImageScore.cs", "maps - (GaussianBlur.Emit", "maps + (GaussianBlur.Emit", "KagExportTests", OnnxTests),
    new("places-ignored", "Methods/Kag/KagMethod.cs", "fusion.NearWeight * known.Near!.Alikeness", "0 * known.Near!.Alikeness", "InspectionByHandTests|NearWeightTests"),
    new("alikeness-reversed", "Methods/Kag/NearReference.cs", "(Unlike - (near / anywhere))", "((near / anywhere) - Alike)", "InspectionByHandTests|NearWeightTests"),
    new("places-one-cell-further", "Methods/Common/NearMatches.cs", "- across) > reach", "- across) > reach + 1", "NearMatchesTests"),
    new("near-lanes-one-further", "Numerics/LargestProducts.cs", "- (i % lanes)) > reach", "- (i % lanes)) > reach + 1", "NearMatchesTests|LargestProductsTests"),
    new("near-rows-one-further", "Numerics/LargestProducts.cs", "First(line + reach + 1)", "First(line + reach + 2)", "NearMatchesTests|LargestProductsTests"),
    new("tiles-last-row-left-out", "Numerics/RowTiles.cs", "(nint)Math.Min(i, count - 1) * width", "(nint)Math.Min(i, 0) * width", "MemoryBankTests|LargestProductsTests"),
    new("convolution-looks-right", "Numerics/PixelConvolution.cs", "(first * kernels.Stride) - (kernels.Columns / 2)", "first * kernels.Stride", "PixelConvolutionTests|ResNet18BackboneTests"),
    new("convolution-without-shortcut", "Backbones/Residual/ResidualNetwork.Pixels.cs", "Conv(middle, last, shortcut)", "Conv(middle, last)", "ResNet18BackboneTests"),
    new("cells-between-swapped", "Numerics/PatchGrid.cs", "(upper[column] * (1 - below)) + (lower[column] * below)", "(upper[column] * below) + (lower[column] * (1 - below))", "PatchGridTests"),
    new("gradients-on-the-device-thread", "Backbones/DeviceQueue.cs", "        using var noGradients = torch.no_grad();\n", "", "DeviceQueueTests"),
    new("whole-window-of-one-side", "Numerics/WholeRows.cs", "Math.Ceiling(2 * wrong", "Math.Ceiling(wrong", "WholeProductsTests"),
    new("whole-rows-lose-nothing", "Numerics/WholeRows.cs", "((length + own) * others.MostLost)", "0", "WholeProductsTests"),
    new("whole-longer-than-one", "Numerics/WholeRows.cs", "return Longest <= LongestTaken;", "return true;", "WholeProductsTests"),
    new("whole-not-clipped", "Numerics/WholeRows.cs", "MaxNative(high * one, -one), one)", "MaxNative(high * one, -one), 9 * one)", "WholeProductsTests"),
    new("whole-second-block-over-the-first", "Numerics/WholeProducts.cs", "TensorMemory.First(ofQueries) + first", "TensorMemory.First(ofQueries)", "WholeProductsTests"),
    new("whole-last-pairs-not-multiplied", "Numerics/SecondLook.cs", "        pairs.Finish();\n", "", "WholeProductsTests"),
    new("threads-largest-not-merged", "Numerics/LargestProducts.cs", "Raise(ofAll, own, panels * shape.Across);", "Raise(ofAll, ofAll, panels * shape.Across);", "MemoryBankTests|LargestProductsTests"),
    new("turned-patches-have-places", "Methods/Common/KeptRows.cs", "view == 0 ? drawn : drawn.Select(_ => -1L)", "drawn", "NearWeightTests"),
    new("views-not-mirrored", "Fitting/ViewsOfSupport.cs", "(kind.IsMirrored ? square.Mirrored() : square)", "(kind.IsMirrored ? square : square)", "SupportViewsTests"),
    new("first-view-sampled-too", "Methods/Common/KeptRows.cs", "view == 0 || share >= 1", "view == 9 || share >= 1", "SupportViewsTests"),
    new("words-at-unit-length", "Backbones/TextFeatures.cs", "tower.Embed(Tokens(tokenizer, sentences, device))", "tower.Encode(Tokens(tokenizer, sentences, device))", "WinClipModelTests"),
    new("windows-without-the-class-token", "Backbones/Vit/VisionTransformer.Windows.cs", "cat([starts, rows], 1)", "cat([rows, starts], 1)", "WinClipModelTests"),
    new("windows-by-the-plain-mean", "Methods/WinClip/WindowGrid.cs", "scores.AtLeast(0).reciprocal()", "scores.AtLeast(0)", "WindowGridTests"),
    new("windows-of-the-region-alone", "Methods/WinClip/WindowGrid.cs", ".Any(patch => wanted", ".All(patch => wanted", "WindowGridTests"),
    new("association-not-halved", "Methods/WinClip/WinClipMaps.cs", "distance.AtLeast(0).Times(0.5)", "distance.AtLeast(0)", "WinClipMapsTests"),
    new("features-of-other-tiles", "Backbones/FeatureEncoder.cs", "$\"{kind}, tiles {tiles}\"", "$\"{kind}\"", "FitSharingTests"),
    new("features-of-another-batch", "Backbones/FeatureStore.cs", "hash.AppendData(square.Rgb);", "", "FitSharingTests"),
    new("pictures-of-another-region", "Evaluation/ScoredImages.cs", "GetValueOrDefault(images[image].ClassName)", "GetValueOrDefault(\"\")", "FewShotEvaluationTests"),
    new("seconds-of-the-second-time", "Evaluation/CellScorer.cs", "(watch.Elapsed + Saved - before)", "watch.Elapsed", "FewShotEvaluationTests"),
    new("softmax-before-enlarging", "Methods/AprilGan/AprilGanMaps.cs", "logits.select(-1, 0))).sigmoid()", "logits.select(-1, 0)).sigmoid())", "AprilGanMapsTests"),
    new("heads-masks-on-the-normal-half", "Methods/AprilGan/HeadTraining.cs", "((count + i) * side * side)", "(i * side * side)", "HeadTrainingTests"),
    new("left-out-shift-reversed", "Calibration/NormalScoreEstimate.cs", "Logarithm(score) + (LeftOutShift * few)", "Logarithm(score) - (LeftOutShift * few)", "NormalScoreModelTests"),
    new("odd-photograph-believed", "Calibration/NormalScoreEstimate.cs", "Math.Clamp(log, middle - reach, middle + reach)", "Math.Clamp(log, middle - reach, middle + (99 * reach))", "NormalScoreModelTests"),
    new("two-supports-by-each-other-alone", "Calibration/NormalScoreEstimate.cs", "(WeightOfItself * places.Average())", "(WeightOfItself * (eachOther.Average(Logarithm) + AboveEachOther))", "NormalScoreModelTests"),
    new("place-taken-as-certain", "../Microsoft.ML.KagPrompt.Primitives/Calibration/NormalScoreModel.cs", "Math.Sqrt((Spread * Spread) + (placeError * placeError))", "Spread", "NormalScoreModelTests"),
    new("only-support-knows-its-half", "Calibration/OnlySupport.cs", "Remember(features, [known.Square], seed)", "Remember(features, [scored.Square], seed)", "OnlySupportTests"),
    new("only-support-among-its-views", "Calibration/OnlySupport.cs", "network.Remember([.. pictures.Skip(1)],", "network.Remember([.. pictures],", "OnlySupportTests"),
    new("only-support-halves-believed", "Calibration/NormalScoreEstimate.cs", "<= MostApart", "<= 99", "NormalScoreModelTests"),
    new("masks-not-cropped", "Imaging/ImagePreprocessor.cs", "return Geometry(width, height).MaskToSquare(", "return ResizeGeometry.Create(width, height, ImageSize, ResizeMode.Stretch).MaskToSquare(", "ImagePreprocessorTests"),
    new("exported-planes-swapped", "Model/OnnxSquares.cs", "images.Permute(0, 3, 1, 2)", "images.Permute(0, 3, 2, 1)", "KagExportTests|OnnxSquaresTests", OnnxTests),
    new("exported-crop-off-the-middle", "Model/OnnxSquares.cs", ".Cast(DataType.Float) / 2)", ".Cast(DataType.Float) / 3)", "OnnxSquaresTests", OnnxTests),
    new("exported-region-inverted", "Model/OnnxVerdict.cs", ".Where(scored.Maps, graph.Constant(double.NaN))", ".Where(graph.Constant(double.NaN), scored.Maps)", "KagExportTests", OnnxTests),
    new("exported-verdict-reversed", "Model/OnnxVerdict.cs", "!(scores <= graph", "!(scores >= graph", "KagExportTests", OnnxTests),
    new("exported-foreign-not-anomalous", "Model/OnnxVerdict.cs", "graph.Constant(calibration.Threshold)) | isForeign", "graph.Constant(calibration.Threshold))", "KagExportTests", OnnxTests),
    new("exported-gamma-swapped", "Methods/Kag/KagMethod.Onnx.cs", "(promptScore * fusion.Gamma) + (largest * (1.0 - fusion.Gamma))", "(promptScore * (1.0 - fusion.Gamma)) + (largest * fusion.Gamma)", "KagExportTests", OnnxTests),
    new("exported-places-ignored", "Methods/Kag/KagMethod.Onnx.cs", "fusion.NearWeight * known.Near!.Alikeness", "0 * known.Near!.Alikeness", "KagExportTests", OnnxTests),
    new("exported-score-of-the-normal-prompt", "Methods/Kag/GraphPrompt.Onnx.cs", "textFeatures.select(-2, 1)", "textFeatures.select(-2, 0)", "KagExportTests", OnnxTests),
    new("checkpoint-without-moments", "Methods/Kag/TrainingCheckpoint.cs", "optimizer.Resume(Steps, name => tensors[$\"optimizer.{name}\"]);", "optimizer.Resume(Steps, name => tensors[$\"optimizer.{name}\"].mul(0));", "TrainingCheckpointTests"),
    new("checkpoint-without-centres", "Methods/Kag/TrainingCheckpoint.cs", "centres == 0 ? null", "centres >= 0 ? null", "TrainingCheckpointTests"),
    new("statistics-of-a-broken-step-kept", "Methods/Kag/MovedByPasses.cs", "live.copy_(before);", "_ = (live, before);", "TrainingCheckpointTests"),
    new("checkpoint-of-any-training", "Methods/Kag/TrainingFingerprint.cs", "hash.AppendData(image.Square.Rgb);", "", "TrainingCheckpointTests"),
    new("fused-loop-twice", "Methods/Kag/Paper/FusedGraph.cs", "of <= receiver ? of - 1 : of", "of < receiver ? of - 1 : of", "FusedGraphTests"),
    new("fused-edges-turned", "Methods/Kag/Paper/FusedGraph.cs", "sender > receiver ? state.Along : state.Against", "sender > receiver ? state.Against : state.Along", "FusedGraphTests"),
    new("fused-alpha-left-out", "Methods/Kag/Paper/FusedGraph.cs", "AddScaled(state.Current.Row(first), weights.Alpha,", "AddScaled(state.Current.Row(first), 1f,", "FusedGraphTests"),
    new("fused-initial-left-out", "Methods/Kag/Paper/FusedGraph.cs", "to[channel] = last[channel] + first[channel];", "to[channel] = last[channel] + (0 * first[channel]);", "FusedGraphTests"),
    new("fused-update-as-reset", "Methods/Kag/Paper/FusedGraph.Rows.cs", "float* reset = gates.Row(i) + pitch,", "float* reset = gates.Row(i),", "FusedGraphTests"),
    new("fused-gates-of-another-node", "Methods/Kag/Paper/FusedGraph.Rows.cs", "if (node != before)", "if (before < 0)", "FusedGraphTests"),
    new("file-without-blocks", "Backbones/Published/Layouts/CheckpointShapes.cs", "return count > 0 ? count", "return count >= 0 ? count", "PublishedFamilyTests"),
    new("sizes-of-a-file-are-the-callers", "Backbones/Published/Layouts/KnownLayouts.cs", "catch (ArgumentException fault)", "catch (NotSupportedException fault)", "PublishedFamilyTests"),
    new("compact-pixels-without-shortcut", "Backbones/Compact/CompactVisionTower.Pixels.cs", ".conv2\", x);", ".conv2\");", "CompactVisionTowerTests"),
    new("read-ahead-loses-what-came-before-a-fault", "../Microsoft.ML.KagPrompt.Primitives/Numerics/ReadAhead.cs", "return new(read, IsLast: true, ExceptionDispatchInfo.Capture(fault));", "return new([], IsLast: true, ExceptionDispatchInfo.Capture(fault));", "ReadAheadTests"),
];

if (args.Contains("--list"))
{
    Console.WriteLine(string.Join(Environment.NewLine, mutants.Select(mutant => mutant.Name)));
    return 0;
}

var thorough = args.Contains("--thorough");
var names = args.Where(arg => !arg.StartsWith('-')).ToArray();
if (names.Except(mutants.Select(mutant => mutant.Name)).ToArray() is { Length: > 0 } unknown)
{
    Console.Error.WriteLine($"No mutant is called {string.Join(", ", unknown)}. --list names them.");
    return 2;
}

var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(SourcePath())!, "..", ".."));
var chosen = mutants.Where(mutant => names.Length == 0 || names.Contains(mutant.Name)).ToArray();
var misfits = chosen.Where(mutant => Count(File.ReadAllText(Path.Combine(root, Core + mutant.File)), mutant.Old) != 1).ToArray();
if (misfits.Length > 0)
{
    Console.Error.WriteLine($"Found not exactly once in its file, so refused: {string.Join(", ", misfits.Select(mutant => mutant.Name))}.");
    return 2;
}

var copy = Directory.CreateTempSubdirectory("mutants-").FullName;
try
{
    foreach (var file in Run(root, "git", "ls-files", "-z").Output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(root, file))))
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(copy, file))!);
        File.Copy(Path.Combine(root, file), Path.Combine(copy, file));
    }

    Console.WriteLine($"Unchanged tree in {copy}: building, then the tests that are to kill.");
    var projects = chosen.GroupBy(mutant => mutant.Tests, mutant => mutant.Killers);
    if (!projects.All(project => Builds(project.Key) && Pass(project.Key, string.Join('|', project.SelectMany(killers => killers.Split('|')).Distinct()))))
    {
        Console.Error.WriteLine("The unchanged tree does not build or pass: nothing can be told of mutants.");
        return 2;
    }

    var (killed, survived) = (0, 0);
    foreach (var mutant in chosen)
    {
        var path = Path.Combine(copy, Core + mutant.File);
        var original = File.ReadAllText(path);
        File.WriteAllText(path, original.Replace(mutant.Old, mutant.New, StringComparison.Ordinal));
        var clock = Stopwatch.StartNew();
        var fate = !Builds(mutant.Tests) ? "broken" : !Pass(mutant.Tests, mutant.Killers) ? "killed"
            : thorough && !Pass(mutant.Tests, "") ? "killed by others" : "survived";
        File.WriteAllText(path, original);
        (killed, survived) = fate.StartsWith("killed", StringComparison.Ordinal) ? (killed + 1, survived) : (killed, survived + 1);
        Console.WriteLine(FormattableString.Invariant($"{mutant.Name,-42} {fate,-17} {clock.Elapsed.TotalSeconds,4:0} s  {mutant.Killers}"));
    }

    Console.WriteLine($"{killed} killed, {survived} survived");
    return survived == 0 ? 0 : 1;
}
finally
{
    Directory.Delete(copy, recursive: true);
}

bool Builds(string tests) => Run(copy, "dotnet", "build", tests, "-c", "Release", "-v", "quiet", "-nologo", "-m:1").Code == 0;

bool Pass(string tests, string killers)
{
    string[] filter = killers == "" ? [] : ["--filter", string.Join('|', killers.Split('|').Select(name => $"FullyQualifiedName~.{name}."))];
    return Run(copy, "dotnet", ["test", tests, "-c", "Release", "--no-build", "--nologo", .. filter]).Code == 0;
}

static int Count(string text, string part) => text.Split(part).Length - 1;

static string SourcePath([CallerFilePath] string path = "") => path;

static (int Code, string Output) Run(string folder, string program, params string[] arguments)
{
    var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true };
    using var process = Process.Start(start)!;
    var output = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    return (process.ExitCode, output);
}

/// <summary>A change of wiring, and the classes of tests that should notice it.</summary>
internal sealed record Mutant(string Name, string File, string Old, string New, string Killers, string Tests = Mutant.CoreTests)
{
    public const string CoreTests = "test/Microsoft.ML.KagPrompt.Core.Tests";
}
