using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <content>The same in ONNX operators.</content>
internal sealed partial class KagMethod
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (known, fusion) = ((KagReference)reference, options.Fusion);
        var (promptMap, nodes, promptScore) = Prompted(images, known);
        var (anywhere, near, unlikeness) = Remembered(images, known, nodes);
        var share = near is null ? 0 : fusion.NearWeight * known.Near!.Alikeness;
        var memoryMap = share > 0 ? (anywhere! * (1 - share)) + (near! * share) : anywhere;
        (promptMap, promptScore, memoryMap) = fusion.Branches switch
        {
            ScoringBranches.MemoryBank => (null, null, memoryMap),
            ScoringBranches.Prompt => (promptMap, promptScore, null),
            _ => (promptMap, promptScore, memoryMap),
        };
        var map = (promptMap, memoryMap) switch                                                             // (14)
        {
            (not null, not null) => (promptMap * fusion.Gamma) + (memoryMap * (1.0 - fusion.Gamma)),
            _ => promptMap ?? memoryMap ?? throw new InvalidOperationException("There is neither a graph prompt nor a memory bank."),
        };
        map = map.Only(known.Region);
        var contrasted = ImageScore.Contrasted(map, fusion.LocalContrast, sizes.ImageSize, known.Region);
        var largest = contrasted.TopMean(fusion.TopK, sizes.ImageSize, known.Region);
        var score = promptScore is null ? largest : (promptScore * fusion.Gamma) + (largest * (1.0 - fusion.Gamma));   // (16)
        return new(map, score, unlikeness);
    }

    private (OnnxValue? Map, OnnxValue? Nodes, OnnxValue? Score) Prompted(EncoderGraph images, KagReference reference)
    {
        if (prompt is null || reference.TextFeatures is null)
        {
            return (null, null, null);
        }

        var (features, grid) = (images.ForPrompt, sizes.Main.PromptGrid(sizes.ImageSize));
        var nodes = prompt.Emit(features.PromptTokens, grid.Rows);                                          // [M, N, L, C']
        var map = PromptMap.Emit(nodes, variant.MapsOf(prompt.TapWidths.Count), sizes.ImageSize, reference.TextFeatures, variant,
            patches => maps.Emit(patches, grid, reference.Region?.Square));                                 // (12)
        return (map, nodes, prompt.EmitScore(features.ImageEmbedding, reference.TextFeatures));             // s1, (15)
    }

    private (OnnxValue? Anywhere, OnnxValue? Near, OnnxValue? Unlikeness) Remembered(
        EncoderGraph images, KagReference reference, OnnxValue? nodes)
    {
        if (reference.Bank is null)
        {
            return (null, null, null);
        }

        var (grids, region) = (BankGrids, reference.Region?.Square);
        var tokens = UsesGraphBank ? [.. grids.Select((_, layer) => nodes!.Select(0, layer))] : images.ForMemory.PatchTokens;
        long[][]? cells = region is null ? null : [.. grids.Select(region.CellsOf)];
        var (distances, unlikeness) = reference.Bank.Emit(
            tokens, [.. grids.Select(grid => grid.Rows * grid.Columns)], cells);
        var near = reference.Near is null ? null
            : variant.MemoryMap(maps.Emit(reference.Near.Matches.Emit(tokens, cells), grids, region));
        return (variant.MemoryMap(maps.Emit(distances, grids, region)), near, unlikeness);                  // (13)
    }
}
