using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Checkpoints;

/// <summary>A small, fixed share of what ./build.sh soak reads: every reader that decodes no picture.</summary>
public sealed class MutatedReadersTests : IDisposable
{
    private const int Seed = 11;
    private const int Readings = 240;

    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-mutated-").FullName;

    [Fact]
    public void Weights_Mutated_LetOnlyOurErrorsEscape() => Check(WeightReaders.All(folder));

    [Fact]
    public void TablesAndModels_Mutated_LetOnlyOurErrorsEscape() => Check(TableReaders.All(folder));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void Check(IEnumerable<MutatedReader> readers)
    {
        foreach (var reader in readers)
        {
            Enumerable.Range(0, Readings / reader.Every).Select(number => reader.Try(Seed, number)).Where(fault => fault is not null)
                .Should().BeEmpty();
            Enumerable.Range(0, 4).Select(number => Convert.ToHexString(reader.Input(Seed, number))).Distinct()
                .Should().HaveCountGreaterThan(1, $"inputs of {reader.Name} differ");
        }
    }
}
