using MathNet.Numerics.LinearAlgebra;
using Microsoft.ML.KagPrompt.Methods.SubspaceAd;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.SubspaceAd;

/// <summary>What the supports' main directions leave of a patch.</summary>
public class SubspaceTests
{
    [Theory]
    [InlineData(1, 0.5f)]
    [InlineData(2, 0.8f)]
    [InlineData(3, 0.95f)]
    public void Score_RandomFeatures_EqualsPlainNumbers(int supports, float variance)
    {
        using var random = new ScorerCase(supports, seed: 3);
        var options = new SubspaceOptions { Variance = variance, MapSigma = 0.7f, TopShare = 0.3f };
        using var method = options.Create(ScorerCase.Start);
        var residual = Residual([.. random.Supports.SelectMany(cells => cells)], variance);
        random.ShouldAgree(method, 0.7f, 0.3f, (feature, _) => residual(feature));
    }

    [Fact]
    public void Fit_FewerRowsThanColumns_SpansTheSame()
    {
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(5);
        var rows = torch.randn([6, 20], generator: generator);
        var plain = Enumerable.Range(0, 6).Select(i => Array.ConvertAll(rows[i].data<float>().ToArray(), number => (double)number))
            .ToArray();
        var (mean, basis) = NormalSubspace.Fit(NormalSubspace.Condense(rows), 0.7);
        using var subspace = new NormalSubspace(mean, basis);
        var query = torch.randn([1, 4, 20], generator: generator);
        var expected = Enumerable.Range(0, 4)
            .Select(i => Residual(plain, 0.7)(Array.ConvertAll(query[0][i].data<float>().ToArray(), number => (double)number))).ToArray();
        subspace.Residuals(query)[0].ShouldBeClose(torch.tensor(expected), 1e-4, "the residual of a wide matrix");
        basis.matmul(basis.t()).ShouldBeClose(torch.eye(basis.shape[0]), 1e-5, "orthonormal");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(50)]
    public void Fit_RowsAllAlike_LeavesTheDistanceToThem(int count)
    {
        using var scope = torch.NewDisposeScope();
        var (mean, basis) = NormalSubspace.Fit(NormalSubspace.Condense(torch.ones(count, 4)), 0.95);
        using var subspace = new NormalSubspace(mean, basis);
        subspace.Residuals(torch.zeros(1, 1, 4)).Value().Should().BeApproximately(2, 1e-6f);
    }

    private static Func<double[], double> Residual(double[][] rows, double variance)
    {
        var data = Matrix<double>.Build.DenseOfRowArrays(rows);
        var mean = data.ColumnSums() / data.RowCount;
        var decomposed = Matrix<double>.Build.DenseOfRowVectors(data.EnumerateRows().Select(row => row - mean)).Svd();
        var powers = decomposed.S.Select(value => value * value).ToArray();
        var kept = Enumerable.Range(1, powers.Length).First(count => powers[..count].Sum() >= variance * powers.Sum());
        var main = decomposed.VT.SubMatrix(0, kept, 0, data.ColumnCount);
        return feature =>
        {
            var centred = Vector<double>.Build.Dense(feature) - mean;
            return (centred - (main.Transpose() * (main * centred))).L2Norm();
        };
    }
}
