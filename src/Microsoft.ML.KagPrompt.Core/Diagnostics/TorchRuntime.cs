using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Diagnostics;

/// <summary>The native library behind TorchSharp, which an application chooses by a package and may have forgotten.</summary>
internal static class TorchRuntime
{
    /// <summary>Loads it, once.</summary>
    /// <exception cref="NativeRuntimeException">It is not there; the message names the packages.</exception>
    public static void Require()
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            throw new NativeRuntimeException(Missing(fault.GetBaseException()), fault);
        }
    }

    private static string Missing(Exception cause)
    {
        var (libtorch, torchSharp) = (Version("LibTorchVersion"), Version("TorchSharpVersion"));
        var system = OperatingSystem.IsWindows() ? "win-x64" : OperatingSystem.IsMacOS() ? "osx-arm64" : "linux-x64";
        return $"TorchSharp's native library (libtorch) cannot be loaded ({RuntimeInformation.RuntimeIdentifier}). "
            + $"Reference one package in the application's project: 'libtorch-cpu-{system}' version {libtorch}, "
            + $"or, for a GPU, 'TorchSharp-cuda-linux' or 'TorchSharp-cuda-windows' version {torchSharp}. "
            + $"Where it is referenced, a library of the system it needs is missing. "
            + $"The loader said: {cause.Message.Split('\n')[0].Trim()}";
    }

    private static string Version(string key)
        => typeof(TorchRuntime).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
