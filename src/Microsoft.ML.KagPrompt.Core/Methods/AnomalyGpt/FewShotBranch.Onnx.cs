using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;

namespace Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

/// <content>The same in ONNX operators.</content>
internal sealed partial class FewShotBranch
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (known, region, grids) = ((PatchBankReference)reference, reference.Region, Grids);
        var (distances, unlikeness) = known.Bank.Emit(images.ForMemory.PatchTokens, [.. grids.Select(grid => grid.Rows * grid.Columns)],
            region is null ? null : [.. grids.Select(region.Square.CellsOf)]);
        var map = maps.Emit(distances, grids, region?.Square).Only(region);
        return new(map, map.LargestPixel(region), unlikeness);
    }
}
