using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

/// <summary>The greedy choice of directions against that of rows in 64 bit, which golden values hold.</summary>
public class FarthestFirstTests
{
    [Theory]
    [InlineData(1, 200, 3, 60)]
    [InlineData(2, 150, 16, 150)]
    [InlineData(3, 97, 37, 41)]
    [InlineData(4, 1, 8, 1)]
    public void Take_RandomDirections_IsTheCoresetOfDistances(int seed, int rows, int width, int count)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        // Not around the origin, as features are not: who is first depends on it.
        var units = (randn([rows, width], generator: generator) + 0.4f).UnitLength(1);
        var (taken, standFor) = FarthestFirst.Take(units.data<float>().ToArray(), width, count);
        taken.Should().Equal(Coreset.Exact(units, count));
        var nearest = units.matmul(units.index_select(0, tensor(taken)).t()).argmax(1).data<long>().ToArray();
        standFor.Should().Equal(Enumerable.Range(0, count).Select(i => nearest.Count(step => step == i)));
    }

    [Fact]
    public void Take_RowsThatAreAlike_TakesEachOnceTheFirstBefore()
    {
        FarthestFirst.Take([1, 0, 1, 0, 0, 1, 1, 0], 2, 4).Rows.Should().Equal(2, 0, 1, 3);
        FarthestFirst.Take([1, 0, 1, 0, 0, 1, 1, 0], 2, 2).StandFor.Should().Equal(1, 3);
    }
}
