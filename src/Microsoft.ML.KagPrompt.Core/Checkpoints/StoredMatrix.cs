using System.Globalization;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>A saved model's float32 matrices.</summary>
internal static class StoredMatrix
{
    /// <summary>Reads one of a known size; −1 rows: any number above 0. The caller owns it.</summary>
    /// <exception cref="ModelFormatException">It is missing or of another type or shape.</exception>
    public static torch.Tensor Read(ITensorSource source, string name, long rows, long columns)
    {
        if (!source.Entries.TryGetValue(name, out var info) || info.Type != torch.ScalarType.Float32 || info.Shape.Count != 2
            || info.Shape[1] != columns || (rows >= 0 && info.Shape[0] != rows) || info.Shape[0] == 0)
        {
            throw new ModelFormatException($"The saved model's tensor '{source.NameInFile(name)}': expected float32 "
                + $"[{(rows < 0 ? "rows" : rows.ToString(CultureInfo.InvariantCulture))}, {columns}], "
                + $"got {(info is null ? "nothing" : $"{info.Type} [{string.Join(", ", info.Shape)}]")}.");
        }

        var values = source.Read(name);
        FiniteValues.Check(values, values, source.NameInFile(name), source.Origin);
        return values;
    }
}
