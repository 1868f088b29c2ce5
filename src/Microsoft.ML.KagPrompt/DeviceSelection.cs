using Microsoft.ML.Runtime;
using TorchSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>What "auto" means under an MLContext: its GPU where it names one, else a GPU where there is one.</summary>
internal static class DeviceSelection
{
    public static string Resolve(IHostEnvironment environment, string device)
    {
        var settings = environment as IHostEnvironmentInternal;
        if (device != "auto" || settings?.GpuDeviceId is not { } wanted)
        {
            return device;
        }

        var usable = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        if (wanted >= 0 && wanted < usable)
        {
            return $"cuda:{wanted}";
        }

        return settings.FallbackToCpu ? "cpu" : throw new InvalidOperationException(
            $"The MLContext asks for GPU {wanted}, but {usable} CUDA device(s) are usable, and FallbackToCpu is false. Set FallbackToCpu, "
                + "or reference TorchSharp-cuda-linux or TorchSharp-cuda-windows.");
    }
}
