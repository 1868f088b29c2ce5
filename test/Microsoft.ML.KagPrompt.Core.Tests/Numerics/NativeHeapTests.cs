using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

public class NativeHeapTests
{
    // A few dozen where freed memory is kept; about 25,000 where it goes back to the system.
    private const long FewPages = 3_000;

    private static readonly long[] Widths = [24, 32, 64, 96];

    [SkippableFact]
    public void Keep_SameWorkAgain_FaultsFewPages()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && NativeHeap.Keep(), "The C library is not glibc, or the process was started with limits of its own.");
        using var prompt = new GraphPrompt(new GraphPromptConfig { TapWidths = [24, 32, 64, 96], JointWidth = 128, Iterations = 5 }, seed: 3);
        foreach (var parameter in prompt.Parameters)
        {
            parameter.requires_grad_(true);
        }

        Pass(prompt);
        Pass(prompt);
        var before = MinorFaults();
        Pass(prompt);
        (MinorFaults() - before).Should().BeLessThan(FewPages);
    }

    [SkippableFact]
    public void Fit_WithoutTraining_KeepsWhatScoringNeeds()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && NativeHeap.Keep(), "The C library is not glibc, or the process was started with limits of its own.");
        var query = TestImages.Part(224, 224, 20);
        var faults = long.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            using var model = KagPromptTrainer.Fit([new TrainingImage { Image = TestImages.Part(224, 224, 1), IsSupport = true }], new FitChoices { Epochs = 0, Device = "cpu" });
            var before = OfDevice();
            model.Inspect([query], [null]);
            faults = OfDevice() - before;
        }

        faults.Should().BeLessThan(FewPages, "the rounds before took the memory already");
    }

    private static long OfDevice() => DeviceQueue.For(CPU).Run(MinorFaults);

    private static void Pass(GraphPrompt prompt)
    {
        using var scope = NewDisposeScope();
        prompt.Nodes([.. Widths.Select(width => ones(2, 256, width))], training: true).sum().backward();
    }

    /// <summary>Of this thread: the tenth field of its status line, counted behind the name in parentheses.</summary>
    private static long MinorFaults()
    {
        var line = File.ReadAllText("/proc/thread-self/stat");
        return long.Parse(line[(line.LastIndexOf(')') + 2)..].Split(' ')[7], CultureInfo.InvariantCulture);
    }
}
