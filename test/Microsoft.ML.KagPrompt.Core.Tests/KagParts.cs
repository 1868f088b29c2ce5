using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>What lies inside a model, for tests that compare it.</summary>
internal static class KagParts
{
    public static GraphPrompt? Prompt(this KagPromptModel model) => ((KagMethod)model.Network.Method).Prompt;

    public static VisionTowerInfo Info(this KagPromptModel model) => model.Network.Encoder.Tower.Info;

    public static MemoryBank Bank(this KagPromptModel model, string className = "object") => ((KagReference)model.Classes[className].Reference.Value).Bank!;

    /// <summary>The mean over the layers of the distances to a bank: [B, L].</summary>
    public static torch.Tensor MeanDistances(this MemoryBank bank, IReadOnlyList<torch.Tensor> tokens) => torch.stack([.. bank.Distances(tokens)]).mean([0]);

    /// <summary>[..., L] → [..., S, S] with aligned corners, as the golden maps are made.</summary>
    public static Func<torch.Tensor, torch.Tensor> AlignedCorners(int grid, int side) => patches => PatchGrid.AlignedCorners(grid, side).ToImage(patches, side);

    /// <summary>The method as users reach it, over given weights; the patches tile the image.</summary>
    public static KagMethod Method(KagOptions options, GraphPrompt prompt, int grid, int side, torch.Device? device = null)
    {
        var info = new VisionTowerInfo { PatchSize = side / grid, TapWidths = prompt.TapWidths, JointWidth = prompt.JointWidth, ImageSize = side, Mean = [0, 0, 0], Std = [1, 1, 1] };
        return new KagMethod(options, new MethodSizes(info, info, side, MapUpsampling.AlignedCorners, device ?? torch.CPU), prompt, startsTrained: true);
    }

    /// <summary>The prompt that comes with the embedded backbone. The caller owns it.</summary>
    public static GraphPrompt ShippedPrompt(VisionTowerInfo info)
    {
        using var source = Backbones.Compact.CompactBackbone.Embedded.Heads.Single().Open();
        return GraphPrompt.Read(GraphPromptConfig.For(info, GraphVariant.Paper, 5), source);
    }
}
