using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.WinClip;

/// <content>The same in ONNX operators.</content>
internal sealed partial class WinClipMethod
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (known, region) = ((WordsAndBank)reference, reference.Region);
        var seen = EncoderGraph.As<IWindowGraph>(images.Tower)
            .EmitWindows(images.Images, sizes.ImageSize, [.. windows.Select(window => window.PatchIndices())]);
        var image = WinClipMaps.Emit(seen.ImageEmbedding, known.TextFeatures);                                          // [N]
        var byWindow = windows.Zip(seen.Windows, (window, embeddings) => window.Emit(WinClipMaps.Emit(embeddings, known.TextFeatures)));
        var zeroShot = byWindow.Aggregate(image.Unsqueeze(1).Reciprocal(), (sum, map) => sum + map.Reciprocal()).Reciprocal()
            * (1 + windows.Length);                                                                                     // [N, g²]
        if (known.Bank is null)
        {
            return new(ToImage(zeroShot, region), image, null);
        }

        var counted = region is null ? null : Counted(region.Square);
        var (distances, unlikeness) = known.Bank.Emit([seen.PatchTokens, .. seen.Windows],
            [grid.Rows * grid.Columns, .. windows.Select(window => window.Steps * window.Steps)], counted);
        var scores = distances.Select(distance => distance.AtLeast(0) * 0.5).ToArray();
        var visual = windows.Select((window, i) => window.Emit(scores[1 + i])).Aggregate(scores[0], (sum, map) => sum + map)
            * (1.0 / scores.Length);                                                                                    // [N, g²]
        var largest = (counted is null ? visual : visual.Gather(1, counted[0])).Largest(1);
        return new(ToImage((zeroShot + visual) * 0.5, region), (image + largest) * 0.5, unlikeness);
    }

    private OnnxValue ToImage(OnnxValue patches, ClassRegion? region) => maps.Emit(patches, grid, region?.Square).Only(region);
}
