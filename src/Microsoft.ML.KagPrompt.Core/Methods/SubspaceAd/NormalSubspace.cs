using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.SubspaceAd;

/// <summary>The mean and main directions of a class's normal patches. Owns both; reading is thread-safe.</summary>
internal sealed class NormalSubspace : ClassReference
{
    private readonly Tensor mean;
    private readonly Tensor basis;

    /// <param name="mean">[1, D].</param>
    /// <param name="basis">[k, D], rows orthonormal.</param>
    public NormalSubspace(Tensor mean, Tensor basis) => (this.mean, this.basis) = (mean.DetachFromDisposeScope(), basis.DetachFromDisposeScope());

    public override IReadOnlyDictionary<string, Tensor> Tensors => new Dictionary<string, Tensor> { ["mean"] = mean, ["basis"] = basis };

    /// <summary>
    /// The fewest principal directions of rows [N, D] that keep a share of their variance, in double precision. Of rows that are all alike: one direction of
    /// zeros, which keeps nothing. Within the caller's dispose scope.
    /// </summary>
    public static (Tensor Mean, Tensor Basis) Fit(Tensor rows, double share)
    {
        var exact = rows.to(ScalarType.Float64);
        var mean = exact.mean([0], keepdim: true);
        var centred = exact.Minus(mean);
        // The smaller of the two products: both have the same variances.
        var isWide = centred.shape[0] < centred.shape[1];
        var (variances, vectors) = linalg.eigh(isWide ? centred.matmul(centred.t()) : centred.t().matmul(centred));                  // ascending
        var values = variances.cpu().data<double>().ToArray();
        var (kept, total, wanted) = (0.0, values.Where(value => value > 0).Sum(), 0);
        while (total > 0 && kept < share * total && wanted < values.Length && values[^(wanted + 1)] > 0)
        {
            kept += values[^++wanted];
        }

        if (wanted == 0)
        {
            return (mean.to(rows.dtype), zeros(1, rows.shape[1], dtype: rows.dtype, device: rows.device));
        }

        var main = vectors.narrow(1, values.Length - wanted, wanted);
        var basis = (isWide ? centred.t().matmul(main) : main).t().UnitLength(1);
        return (mean.to(rows.dtype), basis.to(rows.dtype).contiguous());
    }

    /// <summary>‖x − μ − the part of it in the subspace‖: [B, n, D] → [B, n]. Within the caller's dispose scope.</summary>
    public Tensor Residuals(Tensor cells)
    {
        var centred = cells.Minus(mean);
        var rest = centred.Minus(centred.matmul(basis.t()).matmul(basis));
        return rest.Squared().sum(-1).sqrt();
    }
}
