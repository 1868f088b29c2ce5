using TorchSharp;

namespace Microsoft.ML.KagPrompt.Diagnostics;

/// <summary>Shape checks for tensors that cross a room's boundary.</summary>
internal static class Guard
{
    /// <summary>Throws unless <paramref name="tensor"/> has the expected shape; −1 stands for any size.</summary>
    public static void Shape(torch.Tensor tensor, string name, params ReadOnlySpan<long> expected)
    {
        ArgumentNullException.ThrowIfNull(tensor, name);
        var actual = tensor.shape;
        var matches = actual.Length == expected.Length;
        for (var i = 0; matches && i < expected.Length; i++)
        {
            matches = expected[i] < 0 || expected[i] == actual[i];
        }

        if (!matches)
        {
            throw new ArgumentException($"{name}: expected shape [{Text(expected)}], got [{Text(actual)}].", name);
        }
    }

    private static string Text(ReadOnlySpan<long> shape)
    {
        var parts = new string[shape.Length];
        for (var i = 0; i < shape.Length; i++)
        {
            parts[i] = shape[i] < 0 ? "any" : shape[i].ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return string.Join(", ", parts);
    }
}
