using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Methods.Kag;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>
/// Floating-point operations that training needs, from the shapes of its layers: of products and convolutions, a multiplication and an
/// addition counted apart. What is done value by value (softmax, gates, losses, the optimiser) and the drawing of defects count nothing.
/// </summary>
internal static class TrainingOperations
{
    private const int Nodes = 4;
    private const int Pairs = 6;

    /// <summary>
    /// Of a number of epochs: every normal image is encoded once, its twin in every epoch; both go through the prompt and back in every epoch.
    /// </summary>
    public static double Count(CompactVisionConfig tower, GraphPromptConfig prompt, int side, int images, int epochs)
        => images * ((Encoding(tower, side) * (1 + epochs)) + (2.0 * epochs * Prompt(prompt, side / tower.PatchSize)));

    /// <summary>An image through the tower.</summary>
    public static double Encoding(CompactVisionConfig config, int side)
    {
        // Output places of each layer by the first words of its weight's name: the stem halves the side, three stages halve it again.
        var cells = (side / config.PatchSize) * (side / config.PatchSize);
        double Places(string name) => name.Split('.') switch
        {
            ["stem", ..] => Square(side / 2),
            ["stages", var stage, ..] => Square(side / (4 << Math.Min(int.Parse(stage, null), 2))),
            ["taps", ..] => cells,
            _ => 1,
        };
        return CompactVisionTower.Shapes(config).Where(entry => entry.Key.EndsWith(".weight", StringComparison.Ordinal))
            .Sum(entry => 2 * Places(entry.Key) * entry.Value.Aggregate(1.0, (product, length) => product * length));
    }

    /// <summary>An image's patches through the paper's graph, its map and adapter, and the gradients back.</summary>
    public static double Prompt(GraphPromptConfig config, int grid)
    {
        double patches = grid * grid, width = config.JointWidth, query = config.QueryWidth;
        var projections = patches * config.TapWidths.Sum() * width;
        var kernels = GraphParameters.KernelSizes.Sum(kernel
            => (double)(grid - kernel.Height + 1) * (grid - kernel.Width + 1) * kernel.Height * kernel.Width * width * width * Nodes);
        var loops = Nodes * patches * ((width * ((2 * query) + width)) + (patches * (query + width)));
        // N_i W_c of three nodes; an edge of each pair, a message along it in each direction.
        var lines = ((Nodes - 1) * patches * width * width) + (Pairs * patches * patches * width * 3);
        var gates = (Nodes + (2 * Pairs)) * width * width;
        // Update, reset and candidate, each of [h, N].
        var units = 3 * Nodes * patches * 2 * width * width;
        var rounds = config.Iterations * (loops + lines + gates + units);
        var (maps, adapter) = (Nodes * patches * width, width * width);

        // Back, a product costs two: the gradients of both factors. What is frozen needs none: features before projections and adapter, texts.
        return (2 * 2 * (projections + adapter + maps)) + (2 * 3 * (kernels + rounds));
    }

    private static double Square(double side) => side * side;
}
