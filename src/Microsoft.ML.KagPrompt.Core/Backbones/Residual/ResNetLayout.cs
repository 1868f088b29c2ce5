using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <summary>ResNets under torchvision's names: which one a checkpoint holds, and whether it holds all of it.</summary>
internal static class ResNetLayout
{
    private const int Stages = 4;

    // Of each convolution's batch normalisation.
    private static readonly string[] NormParts = ["weight", "bias", "running_mean", "running_var"];

    public static bool Matches(ITensorSource source)
        => source.Entries.ContainsKey("bn1.running_mean") && source.Entries.ContainsKey("layer1.0.conv1.weight")
            && source.Entries.ContainsKey("layer1.0.bn1.running_mean");

    /// <summary>The sizes, all names and shapes checked.</summary>
    /// <exception cref="CheckpointMismatchException">It is not whole, or of other shapes than such networks have.</exception>
    public static ResidualNetworkConfig Read(ITensorSource source)
    {
        var shapes = new CheckpointShapes(source, "ResNet");
        var (numbers, bottleneck) = (Enumerable.Range(1, Stages).ToArray(), shapes.Has("layer1.0.conv3.weight"));
        var last = bottleneck ? "conv3" : "conv2";
        var config = new ResidualNetworkConfig
        {
            StemWidth = shapes.Size("conv1.weight", 0, 4),
            StageWidths = [.. numbers.Select(stage => shapes.Size($"layer{stage}.0.{last}.weight", 0, 4))],
            StageBlocks = [.. numbers.Select(stage => shapes.Count(block => $"layer{stage}.{block}.conv1.weight"))],
            MiddleWidths = bottleneck ? [.. numbers.Select(stage => shapes.Size($"layer{stage}.0.conv1.weight", 0, 4))] : [],
        };
        try
        {
            config.Validate();
        }
        catch (ArgumentException fault)
        {
            throw new CheckpointMismatchException($"{source.Origin} is no ResNet of known sizes: {fault.Message}");
        }

        var expected = new Dictionary<string, long[]>();
        foreach (var (name, shape) in ResidualNetwork.Shapes(config)
            .Where(entry => entry.Key.EndsWith(".weight", StringComparison.Ordinal)))
        {
            var (convolution, norm) = NamesThere(name[..^".weight".Length]);
            expected.Add($"{convolution}.weight", shape);
            foreach (var part in NormParts)
            {
                expected.Add($"{norm}.{part}", [shape[0]]);
            }
        }

        StrictLoad.Check(expected, source, name
            => name.StartsWith("fc.", StringComparison.Ordinal) || name.EndsWith(".num_batches_tracked", StringComparison.Ordinal));
        return config;
    }

    /// <summary>Which of torchvision's it is, or its sizes.</summary>
    public static string NameOf(ResidualNetworkConfig config)
        => (string.Join(',', config.StageBlocks), config.MiddleWidths.FirstOrDefault()) switch
    {
        ("2,2,2,2", 0) => "torchvision-resnet18",
        ("3,4,6,3", 0) => "torchvision-resnet34",
        ("3,4,6,3", 64) => "torchvision-resnet50",
        ("3,4,23,3", 64) => "torchvision-resnet101",
        ("3,8,36,3", 64) => "torchvision-resnet152",
        ("3,4,6,3", 128) => "torchvision-wide-resnet50-2",
        ("3,4,23,3", 128) => "torchvision-wide-resnet101-2",
        _ => $"resnet-{string.Join('-', config.StageBlocks)}-{string.Join('-', config.StageWidths)}",
    };

    /// <summary>
    /// What the tower's convolution ("stem", "stages.1.0.conv2", "stages.1.0.shortcut") and its batch normalisation are called there.
    /// </summary>
    public static (string Convolution, string Norm) NamesThere(string name)
    {
        if (name == "stem")
        {
            return ("conv1", "bn1");
        }

        var parts = name.Split('.');
        var block = FormattableString
            .Invariant($"layer{int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) + 1}.{parts[2]}");
        return parts[3] == "shortcut" ? ($"{block}.downsample.0", $"{block}.downsample.1")
            : ($"{block}.{parts[3]}", $"{block}.{parts[3].Replace("conv", "bn", StringComparison.Ordinal)}");
    }
}
