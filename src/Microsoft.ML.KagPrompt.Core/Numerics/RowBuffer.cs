using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Rows of numbers side by side, with room for a tile's beyond the last, which tiles read and throw away. Owns its memory.
/// </summary>
internal sealed unsafe class RowBuffer : IDisposable
{
    // More than any tile's rows, and than a kernel's columns with them.
    private const int Beyond = 24;

    private readonly torch.Tensor memory;
    private readonly float* first;

    /// <summary>Rows to be written; those beyond are zero.</summary>
    public RowBuffer(long rows, int pitch)
    {
        Pitch = pitch;
        memory = torch.empty((rows + Beyond) * pitch).DetachFromDisposeScope();
        first = TensorMemory.First(memory);
        new Span<float>(Row(rows), Beyond * pitch).Clear();
    }

    /// <summary>Numbers from a row to the next.</summary>
    public int Pitch { get; }

    public float* Row(long row) => first + ((nint)row * Pitch);

    public void Dispose() => memory.Dispose();
}
