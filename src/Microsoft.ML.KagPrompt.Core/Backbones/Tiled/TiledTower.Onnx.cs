using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones.Tiled;

internal sealed partial class TiledTower : IVisionGraph
{
    /// <inheritdoc/>
    public VisionValues Emit(OnnxValue images, int imageSize)
    {
        OnnxValue[] tiles = [.. layout.Starts.SelectMany(top => layout.Starts.Select(left
            => images.Narrow(2, top, layout.Side).Narrow(3, left, layout.Side)))];
        var seen = EncoderGraph.As<IVisionGraph>(inner).Emit(tiles.Concat(0), layout.Side);
        OnnxValue[] patches = [.. seen.PatchTokens.Select((tokens, tap) => EmitJoin(tokens, StepOf(tap), Info.TapWidths[tap]))];
        var prompt = ReferenceEquals(seen.PromptTokens, seen.PatchTokens) ? patches
            : [.. seen.PromptTokens.Select((tokens, tap) => EmitJoin(tokens, Info.PromptTaps.Step, Info.PromptTaps.Widths[tap]))];
        var embedding = seen.ImageEmbedding.Reshape(layout.Count, -1, Info.JointWidth).Mean(0).UnitLength(-1);
        return new(patches, embedding, prompt);
    }

    private OnnxValue EmitJoin(OnnxValue tokens, int step, int width)
    {
        var (side, kept) = ((layout.Side + step - 1) / step, layout.Kept(step));
        var tiles = tokens.Reshape(layout.Count, -1, side * side, width);
        OnnxValue[] rows = [.. kept.Select((down, row) => ((OnnxValue[])[.. kept.Select((across, column) => tiles
            .Select(0, (row * layout.PerSide) + column).Reshape(0, side, side, width)
            .Narrow(1, down.First, down.Count).Narrow(2, across.First, across.Count))]).Concat(2))];
        return rows.Concat(1).Reshape(0, -1, width);
    }
}
