using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

/// <summary>What a method must know of a backbone whose feature maps a golden file holds.</summary>
internal static class TapSizes
{
    public static MethodSizes FromGolden(SafetensorsFile golden, string[] maps, int side)
    {
        var shapes = maps.Select(map => golden.Entries[map].Shape).ToArray();
        var info = new VisionTowerInfo
        {
            PatchSize = 1,
            TapWidths = [.. shapes.Select(shape => (int)shape[1])],
            TapSteps = [.. shapes.Select(shape => side / (int)shape[2])],
            JointWidth = (int)shapes[^1][1],
            ImageSize = side,
            Mean = [0, 0, 0],
            Std = [1, 1, 1],
        };
        return new MethodSizes(info, info, side, MapUpsampling.CellCentres, torch.CPU);
    }
}
