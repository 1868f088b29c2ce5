using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>A temporary folder of rendered parts, shared by the tests of a class.</summary>
public sealed class PartFolder : IDisposable
{
    public PartFolder()
    {
        Root = Directory.CreateTempSubdirectory("kagprompt-tests-").FullName;
        Normal = [.. Enumerable.Range(0, 5).Select(i => Write($"normal{i}.png", i, false))];
        Queries = [.. Enumerable.Range(0, 5).Select(i => Write($"query{i}.png", 100 + i, i >= 3))];
    }

    public string Root { get; }

    public string[] Normal { get; }

    /// <summary>Three good, then two defective.</summary>
    public string[] Queries { get; }

    public string Path(string name) => System.IO.Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private string Write(string name, int seed, bool defective)
    {
        // Sizes differ: a model takes any.
        TestImages.Write(TestImages.Part(96 + (8 * (seed % 3)), 90, seed, defective), Path(name));
        return Path(name);
    }
}

/// <summary>A row of these tests.</summary>
public sealed class PartRow
{
    public string ImagePath { get; set; } = "";

    public float Label { get; set; }

    public bool Flag { get; set; }

    public string Product { get; set; } = "washer";
}

/// <summary>What a prediction engine gives.</summary>
public sealed class PartVerdict
{
    public float Score { get; set; }

    public bool PredictedLabel { get; set; }

    public float[] AnomalyMap { get; set; } = [];
}
