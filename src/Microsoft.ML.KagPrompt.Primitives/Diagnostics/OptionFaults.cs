using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Diagnostics;

/// <summary>Collects every fault of an options object, so that one message names them all.</summary>
internal sealed class OptionFaults
{
    private readonly List<string> faults = [];

    /// <summary>Notes a fault unless <paramref name="holds"/>: "Name: expected …, got …".</summary>
    public OptionFaults Require(bool holds, string option, string expected, object? got)
    {
        if (!holds)
        {
            faults.Add(FormattableString.Invariant($"{option}: expected {expected}, got {got ?? "null"}."));
        }

        return this;
    }

    /// <summary>Throws one <see cref="ArgumentException"/> naming all faults, or returns when there is none.</summary>
    public void ThrowIfAny(string optionsType)
    {
        if (faults.Count > 0)
        {
            throw new ArgumentException($"{optionsType} has {faults.Count} invalid value(s):{Environment.NewLine}  "
                + string.Join(Environment.NewLine + "  ", faults));
        }
    }
}
