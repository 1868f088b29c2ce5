using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Rows of a matrix that one image's patches after another's are compared with. Owns what it makes of them, when it is first needed, but
/// not the matrix, which must not change: at most half as much memory again. Reading is thread-safe.
/// </summary>
/// <param name="matrix">[M, D].</param>
internal sealed class KnownRows(torch.Tensor matrix) : IDisposable
{
    // With fewer, what is done besides the products takes as long as is won.
    private const int Fewest = 512;

    private readonly Lazy<WholeRows?> whole = new(() => WholeTiles.AreFaster && matrix.shape[0] >= Fewest ? WholeRows.Of(matrix) : null);

    /// <summary>Whether these are queries that it takes.</summary>
    public bool Take(torch.Tensor queries) => LargestProducts.Takes(queries, matrix);

    /// <summary>[n, D] → of each query its largest product [n], of each row [M]. The caller owns them.</summary>
    public (torch.Tensor OfQueries, torch.Tensor OfRows) Largest(torch.Tensor queries)
        => whole.Value is { } known && WholeProducts.Find(queries, matrix, known) is { } found
            ? found
            : LargestProducts.Find(queries, matrix);

    public void Dispose()
    {
        if (whole.IsValueCreated)
        {
            whole.Value?.Dispose();
        }
    }
}
