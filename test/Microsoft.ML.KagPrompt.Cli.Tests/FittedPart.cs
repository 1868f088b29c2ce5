using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>A folder of rendered parts in MVTec AD's layout, and a model that the tool fitted on it.</summary>
public sealed class FittedPart : IDisposable
{
    public FittedPart()
    {
        foreach (var (part, count, first, defective) in new[] { ("train/good", 6, 0, false), ("test/good", 2, 20, false), ("test/bar", 2, 30, true) })
        {
            Directory.CreateDirectory(In(part));
            for (var i = 0; i < count; i++)
            {
                TestImages.Write(TestImages.Part(80, 80, first + i, defective), In($"{part}/{i}.png"));
            }
        }

        Model = In("model.zip");
        var (code, output, error) = Tool.Run("fit", Folder, "--out", Model, "--class", "bolt", "--epochs", "0", "--size", "112");
        FitOutput = code == 0 ? output : throw new InvalidOperationException($"fit ended with {code}: {error}");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("kagprompt-models-").FullName;

    public string Model { get; }

    /// <summary>What fitting said.</summary>
    public string FitOutput { get; }

    public string In(string name) => Path.GetFullPath(Path.Combine(Folder, name));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
