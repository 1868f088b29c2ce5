using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <content>The same in ONNX operators.</content>
internal sealed partial class ResidualNetwork : IVisionGraph, IStageGraph
{
    public VisionValues Emit(OnnxValue images, int imageSize)
    {
        var maps = EmitStages(images);
        OnnxValue[] taps = [.. config.Taps.Select(tap => Tokens(maps[tap - 1], tap, config.Step, imageSize))];
        return new(taps, Embed(maps[^1]), config.PromptStep > 0 ? PromptTokens(maps, imageSize) : taps);
    }

    public IReadOnlyList<OnnxValue> EmitStages(OnnxValue images)
    {
        var x = Conv(images, "stem", stride: 2).Relu().MaxPool(kernel: 3, stride: 2, padding: 1);
        var maps = new OnnxValue[config.StageWidths.Count];
        for (var i = 0; i < maps.Length; i++)
        {
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                x = Block(x, $"stages.{i}.{j}", stride: i > 0 && j == 0 ? 2 : 1);
            }

            maps[i] = x;
        }

        return maps;
    }

    private OnnxValue Embed(OnnxValue deepest) => config.EmbeddingWidth == 0 ? deepest.Mean([2, 3]).UnitLength(-1)
        : PooledEmbedding.Emit(deepest, weights);

    private OnnxValue[] PromptTokens(IReadOnlyList<OnnxValue> maps, int imageSize)
    {
        OnnxValue[] stages = [.. maps.Select((map, i) => Tokens(map, i + 1, config.PromptStep, imageSize))];
        return [.. stages, stages.Select(tokens => tokens - tokens.Mean(1, keep: true)).ToArray().Concat(-1)];
    }

    private static OnnxValue Tokens(OnnxValue map, int stage, int step, int imageSize)
    {
        var stride = ResidualNetworkConfig.StrideOf(stage);
        var cells = stride < step ? map.MeanOfTiles(step / stride)
            : stride == step ? map
            : PatchGrid.Square((imageSize + stride - 1) / stride, 0, (double)stride / step)
                .ToImage(map, imageSize / step, imageSize / step);
        return cells.Tokens();
    }

    private OnnxValue Block(OnnxValue x, string name, long stride)
    {
        var shortcut = weights.Find($"{name}.shortcut.weight") is null ? x : Conv(x, $"{name}.shortcut", stride);
        var inner = config.MiddleWidths.Count == 0
            ? Conv(Conv(x, $"{name}.conv1", stride).Relu(), $"{name}.conv2", 1)
            : Conv(Conv(Conv(x, $"{name}.conv1", 1).Relu(), $"{name}.conv2", stride).Relu(), $"{name}.conv3", 1);
        return (inner + shortcut).Relu();
    }

    private OnnxValue Conv(OnnxValue x, string name, long stride)
    {
        var kernel = weights[$"{name}.weight"];
        return x.Conv(kernel, weights[$"{name}.bias"], stride, padding: kernel.shape[2] / 2);
    }
}
