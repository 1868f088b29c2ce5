using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones.Compact;

/// <content>The same in ONNX operators.</content>
internal sealed partial class CompactVisionTower : IVisionGraph
{
    public VisionValues Emit(OnnxValue images, int imageSize)
    {
        var x = Conv(images, "stem", stride: 2).Relu();
        // Padded strides round up.
        var side = Half(imageSize);
        var taps = new OnnxValue[config.StageWidths.Count];
        for (var i = 0; i < taps.Length; i++)
        {
            x = Conv(x, $"stages.{i}.enter", stride: i < 3 ? 2 : 1).Relu();
            side = i < 3 ? Half(side) : side;
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                var inner = Conv(x, $"stages.{i}.blocks.{j}.conv1", stride: 1).Relu();
                x = (x + Conv(inner, $"stages.{i}.blocks.{j}.conv2", stride: 1)).Relu();
            }

            taps[i] = ToGrid(x, side, imageSize / config.PatchSize).Tokens()
                .Linear(weights[$"taps.{i}.weight"], weights[$"taps.{i}.bias"]);
        }

        return new(taps, PooledEmbedding.Emit(x, weights), taps);
    }

    private static OnnxValue ToGrid(OnnxValue map, int side, int grid)
    {
        if (side <= grid)
        {
            return PatchGrid.HalfPixel(side, side, grid, grid).ToImage(map, grid, grid);
        }

        var means = OnnxResampling.Means(side, grid);
        return map.Between(means, side, means, side);
    }

    private static int Half(int side) => (side + 1) / 2;

    private OnnxValue Conv(OnnxValue x, string name, long stride)
        => x.Conv(weights[$"{name}.weight"], weights[$"{name}.bias"], stride, padding: 1);
}
