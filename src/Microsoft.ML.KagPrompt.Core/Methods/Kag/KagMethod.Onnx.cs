using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <content>The same in ONNX operators.</content>
internal sealed partial class KagMethod
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var known = (KagReference)reference;
        if (prompt is not null && known.TextFeatures is not null)
        {
            throw new NotSupportedException("The graph prompt cannot be exported yet.");
        }

        var (anywhere, near, unlikeness) = Remembered(images, known);
        var share = near is null ? 0 : options.Fusion.NearWeight * known.Near!.Alikeness;
        var map = (share > 0 ? (anywhere! * (1 - share)) + (near! * share) : anywhere!).Only(known.Region);
        return new(map, map.TopMean(options.Fusion.TopK, sizes.ImageSize, known.Region), unlikeness);
    }

    private (OnnxValue? Anywhere, OnnxValue? Near, OnnxValue? Unlikeness) Remembered(EncoderGraph images, KagReference reference)
    {
        if (reference.Bank is null)
        {
            return (null, null, null);
        }

        var (tokens, grids, region) = (images.ForMemory.PatchTokens, BankGrids, reference.Region?.Square);
        long[][]? cells = region is null ? null : [.. grids.Select(region.CellsOf)];
        var (distances, unlikeness) = reference.Bank.Emit(tokens, [.. grids.Select(grid => grid.Rows * grid.Columns)], cells);
        var near = reference.Near is null ? null : maps.Emit(reference.Near.Matches.Emit(reference.Bank, tokens, cells), grids, region);
        return (maps.Emit(distances, grids, region), near, unlikeness);
    }
}
