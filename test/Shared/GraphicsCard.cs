using TorchSharp;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Tests of the trait Category=Gpu compute on a CUDA device and skip where there is none.</summary>
internal static class GraphicsCard
{
    /// <summary>The first one's name as an option.</summary>
    public const string Name = "cuda:0";

    /// <summary>The first one.</summary>
    public static torch.Device Device => torch.device(DeviceType.CUDA, 0);

    /// <summary>Skips the test where libtorch reaches no CUDA device.</summary>
    public static void Require() => Skip.IfNot(torch.cuda.is_available(),
        "libtorch reaches no CUDA device here: it takes one, its driver, and the package TorchSharp-cuda-linux or TorchSharp-cuda-windows");
}
