using System.Text;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Trainings that are broken off and begun again, through the call users make.</summary>
public sealed class TrainingCheckpointTests : IDisposable
{
    private const int Side = 56;

    private static readonly FitChoices Choices = new() { ImageSize = Side, FromScratch = true, Epochs = 2, Seed = 4, LearningRate = 2e-3f };

    private readonly string root = Directory.CreateTempSubdirectory("kagprompt-checkpoints-").FullName;

    [Theory]
    [InlineData(GraphVariant.Paper, 3)]
    [InlineData(GraphVariant.Paper, 8)]
    [InlineData(GraphVariant.Released, 5)]
    public void Fit_CancelledAtAStepAndBegunAgain_GivesTheSameBits(GraphVariant variant, int step)
    {
        var options = Options(In("a"), Choices with { Variant = variant });
        var whole = Bytes(Options(null, Choices with { Variant = variant }));
        FluentActions.Invoking(() => Bytes(options, at: step)).Should().Throw<OperationCanceledException>();
        var resumed = new List<int>();
        Bytes(options, steps: resumed).Should().Equal(whole);
        resumed.Should().StartWith([step + 1]).And.EndWith([16]);
    }

    [Fact]
    public void Fit_EndedBetweenCheckpoints_GoesOnFromTheLast()
    {
        var folder = In("b");
        var options = Options(folder, Choices);
        // What a process that was killed leaves: the file of the first epoch's end, taken while the second is under way.
        var copy = Path.Combine(root, "kept");
        FluentActions.Invoking(() => Bytes(options, at: 11, before: () => File.Copy(Only(folder), copy, overwrite: true))).Should().Throw<OperationCanceledException>();
        File.Move(copy, Only(folder), overwrite: true);
        var resumed = new List<int>();
        Bytes(options, steps: resumed).Should().Equal(Bytes(Options(null, Choices)));
        resumed[0].Should().Be(9);
    }

    [Fact]
    public void Fit_Interval_WritesWithinAnEpoch()
    {
        var folder = In("c");
        var options = Options(folder, Choices);
        options = options with { Method = (KagOptions)options.Method with { Training = ((KagOptions)options.Method).Training with { CheckpointInterval = TimeSpan.FromTicks(1) } } };
        var copy = Path.Combine(root, "kept");
        FluentActions.Invoking(() => Bytes(options, at: 5, before: () => File.Copy(Only(folder), copy, overwrite: true))).Should().Throw<OperationCanceledException>();
        File.Move(copy, Only(folder), overwrite: true);
        var resumed = new List<int>();
        Bytes(options, steps: resumed);
        resumed[0].Should().Be(6);
    }

    [Fact]
    public void Fit_OtherTraining_BeginsAnew()
    {
        var folder = In("d");
        FluentActions.Invoking(() => Bytes(Options(folder, Choices), at: 4)).Should().Throw<OperationCanceledException>();
        var steps = new List<int>();
        Bytes(Options(folder, Choices with { Seed = 5 }), steps: steps);
        steps[0].Should().Be(1);
        Directory.GetFiles(folder).Should().HaveCount(2, "each training has a file of its own");
    }

    [Fact]
    public void Fit_OtherImagesOfTheSameSize_BeginsAnew()
    {
        var options = Options(In("h"), Choices);
        FluentActions.Invoking(() => Bytes(options, at: 4)).Should().Throw<OperationCanceledException>();
        var steps = new List<int>();
        Bytes(options, steps: steps, firstPart: 7);
        steps[0].Should().Be(1);
    }

    [Fact]
    public void Fit_OtherMaps_AreAnotherTraining()
    {
        var folder = In("f");
        Bytes(Options(folder, Choices with { Epochs = 1 }));
        var other = Choices with { Epochs = 1, MapUpsampling = MapUpsampling.AlignedCorners };
        Bytes(Options(folder, other)).Should().Equal(Bytes(Options(null, other)), "its loss is of other maps");
    }

    [Fact]
    public void Train_CancelledBetweenPasses_GoesOnToTheSameBits()
    {
        var parts = Enumerable.Range(0, 6).Select(i => new TrainingImage { Image = TestImages.Part(Side, Side, i) }).ToArray();
        using var fitted = KagPromptTrainer.Fit(parts, Choices with { Epochs = 1, Variant = GraphVariant.Released });
        var (method, encoder) = ((KagMethod)fitted.Network.Method, fitted.Network.Encoder);
        var normal = FitSet.Read(parts, fitted.Network.Preprocessor, _ => { }, default).Normal.ToArray();
        var asked = 0;
        byte[] Trained(string? folder, int cancelAt = int.MaxValue)
        {
            using var stop = new CancellationTokenSource();
            var text = fitted.Classes.ToDictionary(entry => entry.Key, entry => entry.Value.Reference.Value.TextFeatures!);
            // Each pass asks for the texts of its two pairs' four pictures.
            asked = 0;
            var texts = new Asked(text, () => (asked++ == cancelAt ? stop.CancelAsync() : Task.CompletedTask).Wait());
            var options = (KagOptions)Options(folder, Choices with { Epochs = 1, Variant = GraphVariant.Released, BatchSize = 8 }).Method;
            using var prompt = new GraphPrompt(method.Prompt!.Config, seed: 3);
            try
            {
                new GraphTrainer(options, method.Sizes, prompt, encoder, texts, pairsPerPass: 2)
                    .Train(normal, new Dictionary<string, SynthesisOptions>(), seed: 1, _ => { }, stop.Token);
            }
            catch (OperationCanceledException) when (cancelAt < int.MaxValue)
            {
            }

            return [.. prompt.Weights.OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.cpu().contiguous().bytes.ToArray())];
        }

        var whole = Trained(null);
        // In the second step's second pass, and the last's: what running statistics a broken step leaves fades within a few steps.
        foreach (var cancelAt in (int[])[22, asked - 10])
        {
            var folder = In($"g{cancelAt}");
            Trained(folder, cancelAt).Should().NotEqual(whole);
            Trained(folder).Should().Equal(whole);
        }
    }

    [Fact]
    public void Fit_DamagedCheckpoint_NamesTheFile()
    {
        var folder = In("e");
        FluentActions.Invoking(() => Bytes(Options(folder, Choices), at: 4)).Should().Throw<OperationCanceledException>();
        var path = Only(folder);
        var bytes = File.ReadAllBytes(path);
        var steps = Encoding.Latin1.GetString(bytes).IndexOf("\"steps\":\"4\"", StringComparison.Ordinal);
        steps.Should().BePositive();
        foreach (var place in (int[])[bytes.Length - 100, steps + "\"steps\":\"".Length])
        {
            var damaged = bytes.ToArray();
            damaged[place] ^= 1;
            File.WriteAllBytes(path, damaged);
            FluentActions.Invoking(() => Bytes(Options(folder, Choices))).Should().Throw<CheckpointFormatException>().WithMessage($"*{path}*Delete it*");
        }

        File.WriteAllBytes(path, bytes[..1000]);
        FluentActions.Invoking(() => Bytes(Options(folder, Choices))).Should().Throw<CheckpointFormatException>().WithMessage($"*{path}*");
    }

    [Fact]
    public void Fit_FolderThatCannotBeWritten_StopsBeforeTheFirstStep()
    {
        var file = Path.Combine(root, "file");
        File.WriteAllText(file, "");
        var steps = new List<int>();
        FluentActions.Invoking(() => Bytes(Options(file, Choices), steps: steps)).Should().Throw<IOException>().WithMessage("*checkpoint*CheckpointFolder*");
        steps.Should().BeEmpty();
    }

    [Fact]
    public void Save_AfterCheckpoints_NamesNoFolder()
        => Encoding.Latin1.GetString(Bytes(Options(In("secret-folder"), Choices with { Epochs = 1 }))).Should().NotContain("secret-folder");

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static string Only(string folder) => Directory.GetFiles(folder).Single();

    private static InspectionOptions Options(string? folder, FitChoices choices)
    {
        InspectionOptions options = choices;
        var kag = choices.Kag;
        return options with { Method = kag with { Training = kag.Training with { CheckpointFolder = folder } } };
    }

    private string In(string name) => Path.Combine(root, name);

    /// <summary>The fitted model as it is saved.</summary>
    private static byte[] Bytes(InspectionOptions options, List<int>? steps = null, int at = -1, Action? before = null,
        int firstPart = 0)
    {
        using var stop = new CancellationTokenSource();
        var progress = new Steps(report =>
        {
            steps?.Add(report.Done);
            if (report.Done == at)
            {
                before?.Invoke();
                stop.Cancel();
            }
        });
        var images = Enumerable.Range(firstPart, 3).Select(i => new TrainingImage { Image = TestImages.Part(Side, Side, i) });
        using var model = KagPromptTrainer.Fit(images, options, progress: progress, cancellation: stop.Token);
        using var saved = new MemoryStream();
        model.Save(saved);
        return saved.ToArray();
    }

    /// <summary>Texts that tell when they are asked for.</summary>
    private sealed class Asked(IReadOnlyDictionary<string, TorchSharp.torch.Tensor> texts, Action tell) : IReadOnlyDictionary<string, TorchSharp.torch.Tensor>
    {
        public int Count => texts.Count;

        public IEnumerable<string> Keys => texts.Keys;

        public IEnumerable<TorchSharp.torch.Tensor> Values => texts.Values;

        public TorchSharp.torch.Tensor this[string key]
        {
            get
            {
                tell();
                return texts[key];
            }
        }

        public bool ContainsKey(string key) => texts.ContainsKey(key);

        public bool TryGetValue(string key, out TorchSharp.torch.Tensor value) => texts.TryGetValue(key, out value!);

        public IEnumerator<KeyValuePair<string, TorchSharp.torch.Tensor>> GetEnumerator() => texts.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class Steps(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Epoch > 0)
            {
                tell(value);
            }
        }
    }
}
