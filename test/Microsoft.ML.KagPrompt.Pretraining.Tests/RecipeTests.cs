using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining.Tests;

/// <summary>The program itself, with little time and few pictures: every step of the recipe reads what the step before it wrote.</summary>
public sealed class RecipeTests : IDisposable
{
    private const string Moment = "0.02";
    private const int Side = 224;

    private static readonly string Shipped = Path.Combine(
        SharedFiles.RepositoryRoot, "src", "Microsoft.ML.KagPrompt.Core", "Backbones", "Compact");

    private readonly string folder = Directory.CreateTempSubdirectory("kag-pretraining-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [SkippableFact]
    public void EveryStep_OneAfterTheOther_MakesABackboneAndAPromptThatScoreImages()
    {
        var teacher = Path.GetDirectoryName(SharedFiles.Weights("mobilenet_v2_imagenet.safetensors"))!;
        Succeeds("distil", "--teacher", teacher, "--out", At("trunk"), "--minutes", Moment, "--pictures", "4");
        Succeeds("distil", "--teacher", teacher, "--out", At("resumed"), "--minutes", "0", "--pictures", "4",
            "--resume", At("trunk"));
        Tensors(At("resumed")).Should().BeEquivalentTo(Tensors(At("trunk")), "a trunk that goes on for no time stays as it is");

        Succeeds("align", "--trunk", At("trunk"), "--out", At("aligned"), "--minutes", Moment, "--pictures", "24");
        Succeeds("narrow", "--in", At("aligned"), "--out", At("narrow"));
        Distance(At("narrow")).Should().BeApproximately(0.086, 0.004, "normal and abnormal prompts were brought so near each other");
        Succeeds("align", "--trunk", At("trunk"), "--text", At("narrow"), "--out", At("later"), "--minutes", Moment, "--pictures", "24");
        OnlyChanges(At("narrow"), At("later"), "vision.embed.");
        Succeeds("shape", "--in", At("later"), "--out", At("shaped"), "--power", "0.25", "--means", "3,2,1,1");
        OnlyChanges(At("later"), At("shaped"), "vision.taps.");

        Succeeds("prompt", "--backbone", At("shaped"), "--out", At("prompt"), "--minutes", Moment, "--products", "2", "--size", "112",
            "--pairs", "2", "--dice", "0");
        Succeeds("metric", "--in", At("shaped"), "--out", At("learnt"), "--products", "6", "--steps", "2", "--shrink", "1.5",
            "--prompt", At("prompt"), "--carried", At("carried"));
        OnlyChanges(At("shaped"), At("learnt"), "vision.taps.");
        OnlyChanges(At("prompt"), At("carried"), "projection.");

        var printed = Succeeds("branches", "--backbone", At("learnt"), "--prompt", At("carried"), "--data", RenderedSet(), "--shots", "1",
            "--draws", "1");
        printed.Should().Contain("no supports: graph").And.Contain("1 supports, 1 draws: bank").And.Contain(", all ").And.NotContain("NaN");
    }

    /// <summary>The same steps for the other embedded backbone, which shares the text side and the kernels with the first.</summary>
    [Fact]
    public void EveryStep_OnTheResNet18_MakesAnEmbeddingAndAPromptThatScoreImages()
    {
        var (network, first) = (Path.Combine(Shipped, "..", "Residual", ResNet18Files.Backbone),
            Path.Combine(Shipped, "compact.prompt.safetensors"));
        Succeeds("align", "--trunk", network, "--out", At("aligned"), "--minutes", Moment, "--pictures", "24");
        File.ReadAllBytes(Path.Combine(At("aligned"), ResNet18Files.Backbone)).Should().Equal(File.ReadAllBytes(network));
        Tensors(Path.Combine(At("aligned"), ResNet18Files.Embedding)).Keys
            .Should().OnlyContain(name => name.StartsWith("embed.", StringComparison.Ordinal));

        Succeeds("carry", "--from", Shipped, "--prompt", first, "--to", At("aligned"), "--out", At("carried"),
            "--products", "2", "--size", "112");
        OnlyChanges(first, At("carried"), "projection.");
        Succeeds("prompt", "--backbone", At("aligned"), "--out", At("prompt"), "--minutes", Moment, "--products", "2", "--size", "112",
            "--pairs", "2", "--dice", "0", "--resume", At("carried"), "--keep", "kernels.");
        Changed(At("carried"), At("prompt"))
            .Should().Contain("projection.3.weight").And.NotContain(name => name.StartsWith("kernels.", StringComparison.Ordinal));
        Succeeds("share", "--prompt", At("prompt"), "--with", first, "--out", At("own"));
        Tensors(At("own")).Keys.Should().Contain("projection.0.weight")
            .And.NotContain(name => name.StartsWith("kernels.", StringComparison.Ordinal));
        using (var joined = new JoinedTensors(SafetensorsFile.Open(first), SafetensorsFile.Open(At("own"))))
        {
            joined.Entries.Keys.Should().BeEquivalentTo(Tensors(At("prompt")).Keys);
        }

        Succeeds("branches", "--backbone", At("aligned"), "--prompt", At("prompt"), "--data", RenderedSet(), "--shots", "1", "--draws", "1")
            .Should().Contain("no supports: graph").And.Contain(", all ").And.NotContain("NaN");
        Succeeds("places", "--backbone", At("aligned"), "--spots", "1").Should().Contain("tap 3").And.NotContain("tap 4");
    }

    /// <summary>What is made depends on the seed, not on the day.</summary>
    [Fact]
    public void Metric_SameSeed_GivesTheSameBytes()
    {
        foreach (var (name, seed) in new[] { ("a", "5"), ("again", "5"), ("other", "6") })
        {
            Succeeds("metric", "--in", Shipped, "--out", At(name), "--products", "4", "--steps", "2", "--seed", seed, "--device", "cpu");
        }

        Changed(At("a"), At("again")).Should().BeEmpty();
        Changed(At("a"), At("other")).Should().NotBeEmpty();
    }

    [Fact]
    public void Prompt_ResumedForNoTime_KeepsThePromptButForTheAdapter()
    {
        var prompt = Path.Combine(Shipped, "compact.prompt.safetensors");
        Succeeds("prompt", "--backbone", Shipped, "--out", At("same"), "--minutes", "0", "--products", "1", "--size", "112",
            "--resume", prompt);
        Changed(prompt, At("same")).Should().OnlyContain(name => name.StartsWith("adapter.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--out", "distil")]
    [InlineData("--in", "shape", "--out", "nowhere")]
    [InlineData("FORGOTTEN", "shape", "--in", "FORGOTTEN", "--out", "nowhere")]
    [InlineData("--out", "shape", "--in", "x", "--out")]
    [InlineData("--seed", "render", "--out", "nowhere", "--seed", "first")]
    [InlineData("--products", "metric", "--in", "x", "--out", "nowhere", "--products", "many")]
    public void Program_BadArguments_SaysWhichAndWritesNothing(string named, params string[] arguments)
    {
        var (code, _, problem) = Program([.. arguments.Select(argument => argument is "nowhere" or "FORGOTTEN" ? At(argument) : argument)]);
        code.Should().Be(2);
        problem.Should().Contain(named);
        Directory.GetFileSystemEntries(folder).Should().BeEmpty();
    }

    [Fact]
    public void Program_FileThatIsNoBackbone_SaysWhich()
    {
        Directory.CreateDirectory(At("junk"));
        File.WriteAllText(Path.Combine(At("junk"), ShippedFiles.Backbone), "these are no weights");
        var (code, _, problem) = Program(["shape", "--in", At("junk"), "--out", At("nowhere")]);
        code.Should().Be(2);
        problem.Should().Contain(ShippedFiles.Backbone);
        Directory.Exists(At("nowhere")).Should().BeFalse();
    }

    private static string Succeeds(params string[] arguments)
    {
        var (code, printed, problem) = Program(arguments);
        code.Should().Be(0, $"{string.Join(' ', arguments)} printed {problem}");
        return printed;
    }

    private static (int Code, string Printed, string Problem) Program(string[] arguments)
    {
        var (output, error) = (Console.Out, Console.Error);
        using var printed = new StringWriter();
        using var problem = new StringWriter();
        Console.SetOut(printed);
        Console.SetError(problem);
        try
        {
            var code = (int)typeof(ShippedFiles).Assembly.EntryPoint!.Invoke(null, [arguments])!;
            return (code, printed.ToString(), problem.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    private string At(string name) => Path.Combine(folder, name);

    /// <summary>A data set of one rendered product in MVTec AD's layout.</summary>
    private string RenderedSet()
    {
        var set = At("rendered");
        var views = ProductRenderer.Views(seed: 4, count: 4, Side);
        Write(views[0], "train", "good");
        Write(views[1], "test", "good");
        foreach (var view in views.Skip(2))
        {
            var (image, mask) = ProductRenderer.Damage(view, new Random(4));
            mask.Should().Contain(true);
            var name = Write(image, "test", "damaged");
            Write(
                new PixelBuffer(Side, Side, [.. mask.SelectMany(set => Enumerable.Repeat((byte)(set ? 255 : 0), 3))]),
                name, "ground_truth", "damaged");
        }

        return set;

        string Write(PixelBuffer image, params string[] place)
        {
            var name = place.Length > 2 ? place[0] : $"{Guid.NewGuid():N}.png";
            var target = Path.Combine([set, .. place.TakeLast(2)]);
            Directory.CreateDirectory(target);
            Photographs.Write(image, Path.Combine(target, name));
            return name;
        }
    }

    /// <summary>‖F_a − F_n‖ of a name that the text tower was not narrowed by.</summary>
    private static double Distance(string backbone)
    {
        using var scope = NewDisposeScope();
        using var pair = new ShippedFiles(backbone).TextFeatures(["bearing"], CPU)["bearing"];
        return (pair[1] - pair[0]).norm().ToDouble();
    }

    private static void OnlyChanges(string before, string after, string prefix)
        => Changed(before, after).Should().NotBeEmpty().And.OnlyContain(name => name.StartsWith(prefix, StringComparison.Ordinal));

    private static IReadOnlyList<string> Changed(string before, string after)
    {
        var (old, now) = (Tensors(before), Tensors(after));
        now.Keys.Should().BeEquivalentTo(old.Keys);
        return [.. old.Keys.Where(name => !old[name].SequenceEqual(now[name]))];
    }

    /// <summary>Every tensor's values, of a file or of a backbone's folder.</summary>
    private static Dictionary<string, float[]> Tensors(string path)
    {
        using var scope = NewDisposeScope();
        using var source = SafetensorsFile.Open(Directory.Exists(path) ? Path.Combine(path, ShippedFiles.Backbone) : path);
        return source.Entries.Keys.ToDictionary(name => name,
            name => source.Read(name).to(ScalarType.Float32).flatten().data<float>().ToArray());
    }
}
