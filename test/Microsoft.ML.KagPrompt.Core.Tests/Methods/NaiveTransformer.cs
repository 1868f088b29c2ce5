using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.NaiveScores;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

/// <summary>A small CLIP vision transformer of random weights, and the same in double precision by loops.</summary>
internal sealed class NaiveTransformer : IDisposable
{
    private const int Colours = 3;

    private readonly VisionTransformerConfig config;
    private readonly Dictionary<string, double[][]> weights;

    public NaiveTransformer(int depth, int grid, ulong seed)
    {
        config = new VisionTransformerConfig { Width = 6, Depth = depth, Heads = 2, MlpWidth = 9, PatchSize = 3, ImageSize = 3 * grid,
            JointWidth = 5, Activation = Activation.QuickGelu };
        using var random = new torch.Generator(seed);
        // Large products beside small shifts, so that patches of an image are not all alike.
        var drawn = VisionTransformer.Shapes(config).ToDictionary(entry => entry.Key,
            entry => torch.randn(entry.Value, generator: random).mul(entry.Value.Length > 1 ? 1 : 0.2f)
                .add(entry.Key.Contains("norm") && entry.Key.EndsWith("weight") ? 1 : 0).DetachFromDisposeScope());
        weights = drawn.ToDictionary(entry => entry.Key, entry => Rows(entry.Value.flatten(entry.Value.dim() > 1 ? 1 : 0)));
        Tower = new VisionTransformer(config, new WeightSet(drawn));
    }

    public VisionTransformer Tower { get; }

    /// <summary>The class token, then the patches, at their positions.</summary>
    public double[][] Placed(torch.Tensor image)
    {
        var (pixels, side, patch) = (image.data<float>().ToArray(), config.ImageSize, config.PatchSize);
        var grid = side / patch;
        double[] Patch(int number) => [.. from colour in Enumerable.Range(0, Colours)
            from row in Enumerable.Range(number / grid * patch, patch)
            from column in Enumerable.Range(number % grid * patch, patch)
            select (double)pixels[(((colour * side) + row) * side) + column]];
        double[][] tokens = [weights["class_token"][0],
            .. Enumerable.Range(0, grid * grid).Select(number => Times(Patch(number), weights["stem.weight"]))];
        return [.. tokens.Select((token, i) => Plus(token, weights["positions"][i]))];
    }

    /// <summary>Placed tokens through all blocks.</summary>
    public double[][] Through(double[][] placed)
    {
        var x = Normed(placed, "norm_pre");
        for (var block = 0; block < config.Depth; block++)
        {
            x = Thought(Attended(x, block).Ordinary, block);
        }

        return x;
    }

    /// <summary>The ordinary stream, the one of values, and the ordinary one inside each block after its attention.</summary>
    public (double[][] Ordinary, double[][] Values, double[][][] Inside) AlongValues(double[][] placed)
    {
        var ordinary = Normed(placed, "norm_pre");
        var (values, inside) = (ordinary, new double[config.Depth][][]);
        for (var block = 0; block < config.Depth; block++)
        {
            var (attended, alike) = Attended(ordinary, block);
            inside[block] = attended;
            ordinary = Thought(attended, block);
            // Of the last twelve blocks alone.
            values = block < config.Depth - 12 ? ordinary : [.. values.Select((token, i) => Plus(token, alike[i]))];
        }

        return (ordinary, values, inside);
    }

    public double[][] LastNorm(double[][] tokens) => Normed(tokens, "norm");

    /// <summary>A token after the last block in the joint space.</summary>
    public double[] Joint(double[] token) => Times(LastNorm([token])[0], weights["head.weight"]);

    public void Dispose() => Tower.Dispose();

    /// <summary>The stream with its attention added, and what attention of the values with themselves would add.</summary>
    private (double[][] Ordinary, double[][] Alike) Attended(double[][] x, int block)
    {
        var (width, head) = (config.Width, config.Width / config.Heads);
        var rows = Normed(x, $"blocks.{block}.norm1").Select(token => Linear(token, $"blocks.{block}.qkv")).ToArray();
        double[][] Part(int part, int number) => [.. rows.Select(row => row[((part * width) + (number * head))..][..head])];
        double[][] Mixed(int asking, int asked)
        {
            var heads = Enumerable.Range(0, config.Heads).Select(number => Attention(Part(asking, number), Part(asked, number),
                Part(2, number))).ToArray();
            return [.. x.Select((_, i) => Linear([.. heads.SelectMany(one => one[i])], $"blocks.{block}.out"))];
        }

        var added = Mixed(0, 1);
        return ([.. x.Select((token, i) => Plus(token, added[i]))], Mixed(2, 2));
    }

    private static double[][] Attention(double[][] queries, double[][] keys, double[][] values) => [.. queries.Select(query =>
    {
        var shares = keys.Select(key => Math.Exp(Dot(query, key) / Math.Sqrt(query.Length))).ToArray();
        return values[0].Select((_, c) => values.Select((value, j) => shares[j] * value[c]).Sum() / shares.Sum()).ToArray();
    })];

    private double[][] Thought(double[][] attended, int block)
    {
        double[] Hidden(double[] token)
            => [.. Linear(token, $"blocks.{block}.fc1").Select(value => value / (1 + Math.Exp(-1.702 * value)))];
        return [.. attended.Zip(Normed(attended, $"blocks.{block}.norm2"),
            (token, normed) => Plus(token, Linear(Hidden(normed), $"blocks.{block}.fc2")))];
    }

    private double[][] Normed(double[][] tokens, string name) => [.. tokens.Select(token =>
    {
        var (mean, scale, shift) = (token.Average(), weights[$"{name}.weight"][0], weights[$"{name}.bias"][0]);
        var deviation = Math.Sqrt(token.Average(value => (value - mean) * (value - mean)) + config.Epsilon);
        return token.Select((value, i) => ((value - mean) / deviation * scale[i]) + shift[i]).ToArray();
    })];

    private double[] Linear(double[] token, string name) => Plus(Times(token, weights[$"{name}.weight"]), weights[$"{name}.bias"][0]);

    private static double[] Times(double[] token, double[][] matrix) => [.. matrix.Select(row => Dot(row, token))];

    private static double[] Plus(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
