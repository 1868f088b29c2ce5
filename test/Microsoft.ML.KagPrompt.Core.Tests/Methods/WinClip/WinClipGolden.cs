using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.WinClip;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.WinClip;

/// <summary>What the golden file of WinCLIP holds, as the library's parts take it.</summary>
internal static class WinClipGolden
{
    public static WindowGrid[] Grids(SafetensorsFile golden)
        => [.. golden.Numbers("scales").Select(scale => new WindowGrid(golden.Number("grid"), scale))];

    public static torch.Tensor[] Windows(SafetensorsFile golden) => [.. Grids(golden).Select(grid => torch.tensor(grid.PatchIndices()))];

    /// <summary>Patches and windows of the test images, layer by layer.</summary>
    public static torch.Tensor[] Queries(SafetensorsFile golden, torch.Tensor patches)
        => [patches, .. Grids(golden).Select(grid => golden.Read($"windows{grid.Scale}.embedding"))];

    /// <summary>A bank of the first supports' patches and windows.</summary>
    public static MemoryBank Bank(SafetensorsFile golden, torch.Tensor patches, int shots)
        => MemoryBank.Build([.. Enumerable.Range(0, shots).Select(k => (IReadOnlyList<torch.Tensor>)[patches.narrow(0, k, 1),
            .. Grids(golden).Select(grid => golden.Read($"support.windows{grid.Scale}.embedding").narrow(0, k, 1))])]);

    public static torch.Tensor Square(torch.Tensor patches, WindowGrid grid) => patches.view(-1, grid.Side, grid.Side);

    public static torch.Tensor ToImage(SafetensorsFile golden, torch.Tensor patches)
    {
        var (side, size) = (golden.Number("grid"), golden.Number("image_size"));
        return PatchGrid.Tiling(side, size).ToImage(patches, size);
    }
}
