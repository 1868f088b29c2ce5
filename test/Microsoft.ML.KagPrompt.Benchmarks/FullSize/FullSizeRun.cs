using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.FullSize;

/// <summary>
/// A published preset at its real size: checkpoint → convert → fit (no training, one shot; without a prompt and with the authors') → zip → load and score in a new process.
/// Prints times, that process's largest resident memory, and how long reading the same cached bytes takes.
/// </summary>
internal static class FullSizeRun
{
    private const int Rounds = 3;

    /// <param name="preset">A key of <see cref="RandomCheckpoints.All"/>.</param>
    /// <param name="folder">Where the files go; those that are there already are used again.</param>
    /// <param name="vocabulary">CLIP's bpe_simple_vocab_16e6.txt.gz.</param>
    /// <param name="type">How the converted weights are stored; in BFloat16 they compute so too.</param>
    public static void Run(string preset, string folder, string vocabulary, WeightType type)
    {
        var directory = Prepare(preset, folder, vocabulary, type);
        var prompt = Path.Combine(folder, "train_on_random.pt");
        if (!File.Exists(prompt))
        {
            RandomCheckpoints.WritePrompt(prompt);
        }

        var images = Enumerable.Range(0, 3).Select(i => Path.Combine(folder, $"part{i}.png")).ToArray();
        for (var i = 0; i < images.Length; i++)
        {
            TestImages.Write(TestImages.Part(300, 280, i), images[i]);
        }

        foreach (var (what, checkpoint) in new[] { ("memory bank alone", null), ("memory bank and the authors' prompt", prompt) })
        {
            var zip = Path.Combine(folder, $"{preset}-{type}{(checkpoint is null ? "" : "-prompt")}.zip");
            Time($"{what}: fit and save", () => Fit(directory, checkpoint, images[0], zip, type));
            Console.WriteLine($"model zip: {new FileInfo(zip).Length >> 20} MiB");

            // Each in a process of its own, so that both begin with fresh memory and with files in the system's cache.
            string[] files = [Path.Combine(directory, "vision.safetensors"), zip];
            for (var i = 0; i < Rounds; i++)
            {
                InNewProcess(["full-size-read", .. files]);
                InNewProcess(["full-size-score", zip, .. images]);
            }
        }
    }

    /// <summary>The checkpoint, converted, with its vocabulary: made where it is not there yet.</summary>
    public static string Prepare(string preset, string folder, string vocabulary, WeightType type)
    {
        Directory.CreateDirectory(folder);
        var (fileName, write) = RandomCheckpoints.All[preset];
        var checkpoint = Path.Combine(folder, fileName);
        if (!File.Exists(checkpoint))
        {
            Time("write a random checkpoint", () => write(checkpoint));
        }

        File.Copy(vocabulary, Path.Combine(folder, "bpe_simple_vocab_16e6.txt.gz"), overwrite: true);
        var directory = Path.Combine(folder, $"{preset}-{type}");
        if (!Directory.Exists(directory))
        {
            Time($"convert {new FileInfo(checkpoint).Length >> 20} MiB to {type}", () => BackboneConverter.Convert(checkpoint, directory, type));
        }

        return directory;
    }

    /// <summary>A new process's part: every byte of the files into memory of its own, as loading must at least.</summary>
    public static void Read(string[] paths)
    {
        var tensors = new List<torch.Tensor>();
        var seconds = Seconds(() =>
        {
            foreach (var path in paths)
            {
                tensors.Add(torch.empty([new FileInfo(path).Length], torch.ScalarType.Byte));
                using var file = File.OpenHandle(path);
                var destination = tensors[^1].bytes;
                for (var offset = 0; offset < destination.Length;)
                {
                    offset += RandomAccess.Read(file, destination[offset..Math.Min(destination.Length, offset + (1 << 24))], offset);
                }
            }
        });
        Console.WriteLine(FormattableString.Invariant($"plain read of {paths.Sum(path => new FileInfo(path).Length) >> 20} MiB, vision file and zip, into memory: {seconds:0.00} s"));
        tensors.ForEach(tensor => tensor.Dispose());
    }

    /// <summary>A new process's part: what a service does.</summary>
    public static void Score(string zip, string[] images)
    {
        var ml = new MLContext();
        ITransformer model = null!;
        var load = Seconds(() => model = ml.Model.Load(zip, out _));
        Console.WriteLine(FormattableString.Invariant($"loading the model, hash check included: {load:0.00} s"));
        var first = 0.0;
        var rest = new List<double>();
        foreach (var image in images)
        {
            var seconds = Seconds(() =>
            {
                var rows = model.Transform(ml.Data.LoadFromEnumerable([new Row { ImagePath = image }]));
                var score = rows.GetColumn<float>("Score").Single();
                if (!float.IsFinite(score))
                {
                    throw new InvalidOperationException($"Score {score}.");
                }
            });
            if (first == 0)
            {
                first = seconds;
            }
            else
            {
                rest.Add(seconds);
            }
        }

        (model as IDisposable)?.Dispose();
        Console.WriteLine(FormattableString.Invariant($"first image {first:0.00} s, then {rest.Average():0.00} s an image"));
        Console.WriteLine($"largest resident memory of the scoring process: {PeakResident() >> 20} MiB");
    }

    private static void Fit(string directory, string? prompt, string image, string zip, WeightType type)
    {
        var ml = new MLContext(seed: 1);
        var rows = ml.Data.LoadFromEnumerable([new Row { ImagePath = image }]);
        using var model = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag("Image", new KagPromptOptions
        {
            Backbone = new() { Name = directory, Precision = type == WeightType.BFloat16 ? Precision.BFloat16 : Precision.Float32 },
            Prompt = new() { Variant = GraphVariant.Released, CheckpointPath = prompt },
            Training = new() { Epochs = 0 },
        })).Fit(rows);
        ml.Model.Save(model, rows.Schema, zip);
    }

    private static void InNewProcess(string[] arguments)
    {
        var program = Environment.ProcessPath!;
        // Started by "dotnet PROGRAM.dll", or by the program's own host.
        var start = new ProcessStartInfo(program, Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(FullSizeRun).Assembly.Location, .. arguments] : arguments);
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{arguments[0]}' ended with exit code {process.ExitCode}.");
        }
    }

    private static long PeakResident()
    {
        if (OperatingSystem.IsLinux())
        {
            return long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) << 10;
        }

        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private static double Seconds(Action work)
    {
        var watch = Stopwatch.StartNew();
        work();
        return watch.Elapsed.TotalSeconds;
    }

    private static void Time(string what, Action work) => Console.Error.WriteLine(FormattableString.Invariant($"{what}: {Seconds(work):0.0} s"));

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }
}
