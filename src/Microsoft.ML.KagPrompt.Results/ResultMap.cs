namespace Microsoft.ML.KagPrompt.Results;

/// <summary>An anomaly map to be kept beside a picture.</summary>
/// <param name="Values">Row by row, Height × Width; NaN where the image was not inspected.</param>
/// <param name="Height">Rows, 1 to 16,384.</param>
/// <param name="Width">Columns, 1 to 16,384.</param>
/// <remarks>
/// Kept in 16 bits (half precision, a relative error of at most 1/2048; beyond ±65,504 at that limit).
/// </remarks>
public sealed record ResultMap(ReadOnlyMemory<float> Values, int Height, int Width)
{
    /// <summary>The map of a verdict.</summary>
    public static ResultMap From(Inspection inspection)
    {
        ArgumentNullException.ThrowIfNull(inspection);
        return new ResultMap(inspection.Map, inspection.Height, inspection.Width);
    }
}
