using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.SubspaceAd;

/// <summary>The mean and main directions of a class's normal patches. Owns both; reading is thread-safe.</summary>
internal sealed class NormalSubspace : ClassReference
{
    // Of all squares: what roundings leave of rows that are alike.
    private const double Nothing = 1e-12;

    private readonly Tensor mean;
    private readonly Tensor basis;

    /// <param name="mean">[1, D].</param>
    /// <param name="basis">[k, D], rows orthonormal.</param>
    public NormalSubspace(Tensor mean, Tensor basis)
        => (this.mean, this.basis) = (mean.DetachFromDisposeScope(), basis.DetachFromDisposeScope());

    public override IReadOnlyDictionary<string, Tensor> Tensors => new Dictionary<string, Tensor> { ["mean"] = mean, ["basis"] = basis };

    /// <summary>
    /// At most D + 1 rows [M, D + 1] in the place of any number [N, D], in double precision: each longer by a 1, and of more rows than
    /// columns what QR leaves, whose sums of products are the same. Within the caller's dispose scope.
    /// </summary>
    public static Tensor Condense(Tensor rows)
    {
        var longer = cat([rows, ones(rows.shape[0], 1, dtype: rows.dtype, device: rows.device)], 1).to(ScalarType.Float64);
        return longer.shape[0] <= longer.shape[1] ? longer : linalg.qr(longer).R;
    }

    /// <summary>
    /// The fewest principal directions that keep a share of the variance of rows, of which <see cref="Condense"/> made these [M, D + 1]. Of
    /// rows that are all alike: one direction of zeros, which keeps nothing. Within the caller's dispose scope.
    /// </summary>
    public static (Tensor Mean, Tensor Basis) Fit(Tensor condensed, double share)
    {
        var width = condensed.shape[1] - 1;
        var (rows, weights) = (condensed.narrow(1, 0, width), condensed.narrow(1, width, 1));
        var mean = weights.t().matmul(rows) / weights.Squared().sum();
        var centred = rows.Minus(weights.matmul(mean));
        // The smaller of the two products: both have the same variances.
        var isWide = centred.shape[0] < width;
        var (variances, vectors) = linalg.eigh(isWide ? centred.matmul(centred.t()) : centred.t().matmul(centred));  // ascending
        var values = variances.cpu().data<double>().ToArray();
        var (kept, total, wanted) = (0.0, values.Where(value => value > 0).Sum(), 0);
        var isAlike = total <= Nothing * rows.Squared().sum().Value();
        while (!isAlike && kept < share * total && wanted < values.Length && values[^(wanted + 1)] > 0)
        {
            kept += values[^++wanted];
        }

        if (wanted == 0)
        {
            return (mean.to(ScalarType.Float32), zeros(1, width, device: rows.device));
        }

        var main = vectors.narrow(1, values.Length - wanted, wanted);
        var basis = (isWide ? centred.t().matmul(main) : main).t().UnitLength(1);
        return (mean.to(ScalarType.Float32), basis.to(ScalarType.Float32).contiguous());
    }

    /// <summary>‖x − μ − the part of it in the subspace‖: [B, n, D] → [B, n]. Within the caller's dispose scope.</summary>
    public Tensor Residuals(Tensor cells)
    {
        var centred = cells.Minus(mean);
        var rest = centred.Minus(centred.matmul(basis.t()).matmul(basis));
        return rest.Squared().sum(-1).sqrt();
    }

    /// <summary>The same in ONNX operators.</summary>
    public OnnxValue Emit(OnnxValue cells)
    {
        using var scope = NewDisposeScope();
        var centred = cells - cells.Graph.Weight(mean);
        var rest = centred - centred.MatMul(cells.Graph.Weight(basis.t())).MatMul(cells.Graph.Weight(basis));
        return rest.Squared().Sum(-1).Sqrt();
    }
}
