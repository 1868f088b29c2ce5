using System.Globalization;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Released;

/// <summary>
/// The names of the authors' checkpoints (image_decoder, adapter, aGNN, mmci). They hold parameters only:
/// running statistics they lack are 0 and 1.
/// </summary>
internal static class ReleasedCheckpoint
{
    private const int LargestWidth = 1 << 14;

    /// <summary>Whether these are the names of such a checkpoint.</summary>
    public static bool IsOne(ITensorSource source) => source.Entries.ContainsKey("image_decoder.fc.0.weight")
        && source.Entries.Keys.Any(name => name.StartsWith("aGNN.", StringComparison.Ordinal));

    /// <summary>Reads one, its sizes from its shapes. The caller owns the prompt.</summary>
    /// <exception cref="CheckpointMismatchException">Names or shapes differ: all are listed.</exception>
    public static GraphPrompt Read(ITensorSource source, int iterations)
    {
        var projections = Enumerable.Range(0, 5).TakeWhile(i => source.Entries.ContainsKey($"image_decoder.fc.{i}.weight"))
            .Select(i => Sizes(source, $"image_decoder.fc.{i}.weight")).ToArray();
        if (!IsOne(source) || projections.Length != 4)
        {
            throw new CheckpointMismatchException($"{source.Origin} is not a checkpoint of the authors' KAG-prompt: "
                + $"expected 'image_decoder.fc.0' to '.3' and names under 'aGNN.', got {source.Entries.Count} names without them.");
        }

        var config = new GraphPromptConfig
        {
            Variant = GraphVariant.Released, TapWidths = [.. projections.Select(size => size.Columns)], JointWidth = projections[0].Rows,
            Iterations = iterations
        };
        var rules = Rules(config).Where(rule => !IsStatistic(rule.Name) || source.Entries.ContainsKey(rule.Parts[0].Name)).ToArray();
        StrictLoad.Check(rules, source, name => name == "aGNN.bn1.num_batches_tracked");
        using var mapped = new MappedTensors(source, rules);
        return GraphPrompt.Read(config, mapped, statisticsMayMiss: true);
    }

    private static IEnumerable<WeightRule> Rules(GraphPromptConfig config) => GraphParameters.Shapes(config).Select(entry =>
    {
        var (name, shape) = entry;
        var dot = name.LastIndexOf('.');
        var (part, kind) = (name[..dot], name[(dot + 1)..]);
        // 1×1 convolutions keep their kernel's sizes there.
        var there = part is "message_gate" || (part.StartsWith("gru.", StringComparison.Ordinal) && kind == "weight")
            ? [.. shape, 1, 1]
            : shape;
        return new WeightRule(name, shape, (NameThere(part, kind), there));
    });

    private static bool IsStatistic(string name) => name is "output_norm.mean" or "output_norm.variance";

    private static string NameThere(string part, string kind) => (part, kind) switch
    {
        ("adapter", _) => $"adapter.linear1.{kind}",
        ("edge", _) => $"aGNN.linear_e.{kind}",
        ("message_gate", _) => $"aGNN.gate.{kind}",
        ("fusion", _) => $"aGNN.conv_fusion.{kind}",
        ("output", _) => $"aGNN.conv1.{kind}",
        ("output_norm", "mean") => "aGNN.bn1.running_mean",
        ("output_norm", "variance") => "aGNN.bn1.running_var",
        ("output_norm", _) => $"aGNN.bn1.{kind}",
        ("gru.update", _) => $"aGNN.ConvGRU.update_gate.{kind}",
        ("gru.reset", _) => $"aGNN.ConvGRU.reset_gate.{kind}",
        ("gru.candidate", _) => $"aGNN.ConvGRU.out_gate.{kind}",
        _ when part.StartsWith("projection.", StringComparison.Ordinal) => $"image_decoder.fc.{part["projection.".Length..]}.{kind}",
        _ when part.StartsWith("kernels.", StringComparison.Ordinal)
            => $"mmci.conv{int.Parse(part["kernels.".Length..], CultureInfo.InvariantCulture) + 1}.{kind}",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "not a name of the released graph"),
    };

    private static (int Rows, int Columns) Sizes(ITensorSource source, string name)
        => source.Entries[name].Shape is { Count: 2 } shape && shape.All(size => size is >= 1 and <= LargestWidth)
            ? ((int)shape[0], (int)shape[1])
            : throw new CheckpointMismatchException($"{source.Origin}: expected '{name}' with two sizes of 1 to {LargestWidth}, "
                + $"got [{string.Join(", ", source.Entries[name].Shape)}].");
}
