using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Tests.Methods;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Gpu;

/// <summary>Models fitted, saved, loaded and asked on a CUDA device, beside the processor's.</summary>
[Trait("Category", "Gpu")]
[Collection(nameof(ModelsOnGpuTests))]
public sealed class ModelsOnGpuTests
{
    // Both compute in 32 bit, in another order.
    private const float Near = 5e-4f;

    // Convolutions there round their inputs to 19 bits (TF32) unless the program says otherwise.
    private const float Rounded = 1e-2f;

    private static readonly FitChoices Small = new() { Epochs = 1, BatchSize = 4, ImageSize = 112, Seed = 5 };

    [SkippableTheory]
    [MemberData(nameof(EveryMethodTests.Rows), MemberType = typeof(EveryMethodTests))]
    public void Load_AModelOfTheProcessor_ScoresAsThere(string method, string backbone)
    {
        GraphicsCard.Require();
        using var here = KagPromptTrainer.Fit(EveryMethodTests.Images("a", EveryMethodTests.Supports), EveryMethodTests.Options(method, backbone));
        using var there = Moved(here, GraphicsCard.Name);
        ShouldAgree(there, here, Rounded);
        InWhole32Bit(() => ShouldAgree(there, here, Near));
    }

    [SkippableTheory]
    [MemberData(nameof(EveryMethodTests.Rows), MemberType = typeof(EveryMethodTests))]
    public void Fit_SavedAndLoadedAnywhere_ScoresAsThere(string method, string backbone)
    {
        GraphicsCard.Require();
        using var there = KagPromptTrainer.Fit(
            EveryMethodTests.Images("a", EveryMethodTests.Supports), EveryMethodTests.Options(method, backbone, GraphicsCard.Name));
        float.IsFinite(there.Inspect(EveryMethodTests.Defective).Score).Should().BeTrue();
        using var again = Moved(there, GraphicsCard.Name);
        using var here = Moved(there, "cpu");
        ShouldAgree(again, there, 1e-5f);
        ShouldAgree(here, there, Rounded);
        using var both = KagPromptTrainer.Adapt(there, EveryMethodTests.Images("b", [EveryMethodTests.Defective]));
        both.Inspect(EveryMethodTests.Defective, "b").Score.Should()
            .BeLessThan(both.Inspect(EveryMethodTests.Defective, "a").Score, "class b knows the spot");
    }

    [SkippableTheory]
    [InlineData(GraphVariant.Paper)]
    [InlineData(GraphVariant.Released)]
    public void Fit_Training_GoesAsOnTheProcessor(GraphVariant variant)
    {
        GraphicsCard.Require();
        double[][] losses = [.. new[] { "cpu", GraphicsCard.Name }.Select(device =>
        {
            var steps = new List<double>();
            var choices = Small with { Variant = variant, Epochs = 4, DiceWeight = 1, FromScratch = true, Device = device };
            using var model = KagPromptTrainer.Fit(Parts(4), choices, progress: new Steps(steps));
            model.HasPrompt.Should().BeTrue();
            float.IsFinite(model.Inspect(EveryMethodTests.Defective).Score).Should().BeTrue();
            return steps.ToArray();
        })];
        var (here, there) = (losses[0], losses[1]);
        there.Should().HaveSameCount(here).And.HaveCountGreaterThan(3);
        there[0].Should().BeApproximately(here[0], 0.02 * here[0], "the first step knows the same weights and images");
        there[^1].Should().BeLessThan(there[0]);
        there.Average().Should().BeApproximately(here.Average(), 0.15 * here.Average());
    }

    [SkippableFact]
    public void Load_Auto_TakesTheDeviceAndItsShortNumbers()
    {
        GraphicsCard.Require();
        using var whole = KagPromptTrainer.Fit(Parts(2), Small with { Epochs = 0, Device = "auto" });
        whole.Network.Encoder.Device.type.Should().Be(DeviceType.CUDA);
        whole.ImagesAtOnce.Should().Be(32);
        using var brief = KagPromptTrainer.Fit(Parts(2), Small with { Epochs = 0, Device = "auto", Precision = Precision.Auto });
        var (one, other) = (whole.Inspect(EveryMethodTests.Defective), brief.Inspect(EveryMethodTests.Defective));
        other.Score.Should().NotBe(one.Score, "bfloat16 rounds");
        Largest(one.Map, other.Map).Should().BeLessThan(0.01f);
        // A model on the processor asks the processor, whatever stands beside it.
        using var here = KagPromptTrainer.Fit(Parts(2), Small with { Epochs = 0, Device = "cpu", Precision = Precision.Auto });
        using var plain = KagPromptTrainer.Fit(Parts(2), Small with { Epochs = 0, Device = "cpu", Precision = Precision.BFloat16 });
        var flags = File.Exists("/proc/cpuinfo") ? File.ReadAllText("/proc/cpuinfo") : "";
        (here.Inspect(EveryMethodTests.Defective).Score == plain.Inspect(EveryMethodTests.Defective).Score).Should()
            .Be(flags.Contains("avx512_bf16", StringComparison.Ordinal) || flags.Contains("amx_bf16", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void Inspect_FromManyThreads_ScoresAsAlone()
    {
        GraphicsCard.Require();
        using var model = KagPromptTrainer.Fit(Parts(3), Small with { Epochs = 0, Device = GraphicsCard.Name });
        var images = Enumerable.Range(20, 6).Select(seed => TestImages.Part(112, 112, seed, defective: seed % 2 == 0)).ToArray();
        var alone = images.Select(image => model.Inspect(image).Score).ToArray();
        Parallel.For(0, 48, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
            model.Inspect(images[i % images.Length]).Score.Should().BeApproximately(alone[i % images.Length], 1e-5f));
        var many = Enumerable.Range(0, 40).Select(i => images[i % images.Length]).ToArray();
        model.Inspect(many, new string?[many.Length]).Select(result => result.Score).Should()
            .Equal(many.Select((_, i) => alone[i % alone.Length]), (a, b) => Math.Abs(a - b) < Rounded, "a batch is no other image");
    }

    [SkippableFact]
    public void Fit_DeviceThatIsNotThere_IsRefused()
    {
        GraphicsCard.Require();
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts(2), Small with { Epochs = 0, Device = $"cuda:{torch.cuda.device_count()}" }))
            .Should().Throw<InvalidOperationException>().WithMessage("*CUDA device(s) are usable here*");
    }

    /// <summary>With convolutions of whole 32-bit numbers, as an application chooses for its process.</summary>
    private static void InWhole32Bit(Action work)
    {
        torch.backends.cudnn.allow_tf32 = false;
        try
        {
            work();
        }
        finally
        {
            torch.backends.cudnn.allow_tf32 = true;
        }
    }

    private static TrainingImage[] Parts(int count)
        => [.. Enumerable.Range(0, count).Select(seed => new TrainingImage { Image = TestImages.Part(112, 112, seed) })];

    private static KagPromptModel Moved(KagPromptModel model, string device)
    {
        using var saved = new MemoryStream();
        model.Save(saved);
        saved.Position = 0;
        return KagPromptModel.Load(saved, device);
    }

    private static void ShouldAgree(KagPromptModel actual, KagPromptModel expected, float tolerance)
    {
        foreach (var image in EveryMethodTests.Supports.Append(EveryMethodTests.Defective))
        {
            var (one, other) = (expected.Inspect(image), actual.Inspect(image));
            var unit = Math.Max(1, Math.Abs(one.Score));
            Math.Abs(other.Score - one.Score).Should().BeLessThanOrEqualTo(tolerance * unit, "the score");
            Largest(one.Map, other.Map).Should().BeLessThanOrEqualTo(4 * tolerance * Math.Max(1, one.Map.Max(Math.Abs)), "the map");
        }
    }

    private static float Largest(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();

    private sealed class Steps(List<double> losses) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Phase == "training")
            {
                losses.Add(value.Loss.CrossEntropy + value.Loss.Focal + value.Loss.Dice);
            }
        }
    }
}
