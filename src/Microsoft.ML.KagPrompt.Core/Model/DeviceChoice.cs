using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>Turns the Device option into a device that exists.</summary>
internal static class DeviceChoice
{
    /// <summary>"auto" takes the first GPU where there is one; "cuda:N" must exist.</summary>
    public static torch.Device Resolve(string device)
    {
        if (device == "cpu" || (device == "auto" && !torch.cuda.is_available()))
        {
            return torch.CPU;
        }

        if (!InspectionOptions.IsDeviceName(device))
        {
            throw new ArgumentException($"device: expected \"auto\", \"cpu\", \"cuda\" or \"cuda:N\", got \"{device}\".", nameof(device));
        }

        var index = device.StartsWith("cuda:", StringComparison.Ordinal)
            ? int.Parse(device.AsSpan(5), System.Globalization.CultureInfo.InvariantCulture)
            : 0;
        var count = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        if (index >= count)
        {
            throw new InvalidOperationException($"Device is '{device}', but {count} CUDA device(s) are usable here. "
                + "Choose \"cpu\" or \"auto\", or reference TorchSharp-cuda-linux / TorchSharp-cuda-windows and check the driver.");
        }

        return torch.device(DeviceType.CUDA, index);
    }
}
