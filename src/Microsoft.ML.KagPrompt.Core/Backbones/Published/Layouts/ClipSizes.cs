using Microsoft.ML.KagPrompt.Backbones.Vit;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>What CLIP's published sizes imply, whoever names the tensors.</summary>
internal static class ClipSizes
{
    public const double Epsilon = 1e-5;

    /// <summary>64 channels a head, but ViT-H/14's vision has 80.</summary>
    public static int UsualVisionHeads(int width) => width == 1280 ? 16 : Math.Max(1, width / 64);

    public static int UsualTextHeads(int width) => Math.Max(1, width / 64);

    /// <summary>
    /// Of the sizes both published, only the activation tells them apart; OpenAI never published H/14, nor LAION 336 pixels.
    /// </summary>
    public static bool IsOpenAi(VisionTransformerConfig vision) => vision.Activation == Activation.QuickGelu;

    /// <summary>"vit-l-14-336" or, of sizes never published, the width and depth.</summary>
    public static string Size(VisionTransformerConfig vision) => (vision.Width, vision.Depth, vision.PatchSize, vision.ImageSize) switch
    {
        (768, 12, 32, 224) => "vit-b-32",
        (768, 12, 16, 224) => "vit-b-16",
        (1024, 24, 14, 224) => "vit-l-14",
        (1024, 24, 14, 336) => "vit-l-14-336",
        (1280, 32, 14, 224) => "vit-h-14",
        _ => $"vit-{vision.Width}x{vision.Depth}",
    };

    public static (string Name, string Family, string Licence) Describe(VisionTransformerConfig vision) => IsOpenAi(vision)
        ? ($"clip-{Size(vision)}", "CLIP", "MIT (OpenAI)")
        : ($"openclip-{Size(vision)}", "OpenCLIP", "MIT (OpenCLIP; LAION's weights)");
}
