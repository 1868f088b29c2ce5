using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>ONNX Runtime with a model in it.</summary>
internal static class RuntimeSession
{
    /// <summary>Loads a model. The caller owns the session.</summary>
    /// <exception cref="ModelFormatException">The runtime refuses the file, or it computes something else.</exception>
    /// <exception cref="NativeRuntimeException">The runtime, or the provider asked for, is not there.</exception>
    public static InferenceSession Open(ExportedFile file, OnnxInspectorOptions options)
    {
        using var settings = Settings(options);
        InferenceSession session;
        try
        {
            if (file.PathWithData is { } path)
            {
                // The bytes that were looked through are loaded, not what lies at the path by now.
                settings.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", Path.GetDirectoryName(path));
            }

            session = new(file.Bytes, settings);
        }
        catch (OnnxRuntimeException fault)
        {
            throw new ModelFormatException($"{file.Origin}: ONNX Runtime cannot load it: {FirstLine(fault)} "
                + "Expected a file as it was exported. Export the model again, or copy the file again.", fault);
        }

        try
        {
            Check(session, file);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The first line of what the runtime says.</summary>
    public static string FirstLine(Exception fault) => fault.Message.Split('\n')[0].Trim();

    private static SessionOptions Settings(OnnxInspectorOptions options)
    {
        SessionOptions settings;
        try
        {
            settings = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        }
        catch (Exception fault) when (fault is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new NativeRuntimeException("ONNX Runtime's native library cannot be loaded. "
                + "Reference package Microsoft.ML.OnnxRuntime in the application's project, "
                + "which has it for Windows, Linux and macOS on x64 and Arm 64. "
                + $"The loader said: {FirstLine(fault.GetBaseException())}", fault);
        }

        try
        {
            if (options.Threads is { } threads)
            {
                settings.IntraOpNumThreads = threads;
            }

            Add(settings, options);
            return settings;
        }
        catch (Exception fault) when (fault is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
        {
            settings.Dispose();
            throw new NativeRuntimeException($"Provider {options.Provider} is not there: the ONNX Runtime that was loaded has "
                + $"{string.Join(", ", OrtEnv.Instance().GetAvailableProviders())}. Reference package {PackageOf(options.Provider)} in the "
                + "application's project, in place of Microsoft.ML.OnnxRuntime (which gets ExcludeAssets=\"all\" there), or take Provider "
                + $"Cpu. The runtime said: {FirstLine(fault)}", fault);
        }
        catch
        {
            settings.Dispose();
            throw;
        }
    }

    private static void Add(SessionOptions settings, OnnxInspectorOptions options)
    {
        switch (options.Provider)
        {
            case OnnxProvider.Cuda:
                settings.AppendExecutionProvider_CUDA(options.DeviceId);
                break;
            case OnnxProvider.DirectML:
                settings.AppendExecutionProvider_DML(options.DeviceId);
                // What that provider asks for.
                settings.EnableMemoryPattern = false;
                settings.ExecutionMode = ExecutionMode.ORT_SEQUENTIAL;
                break;
            case OnnxProvider.OpenVino:
                settings.AppendExecutionProvider_OpenVINO();
                break;
        }
    }

    private static string PackageOf(OnnxProvider provider) => provider switch
    {
        OnnxProvider.Cuda => "Microsoft.ML.OnnxRuntime.Gpu",
        OnnxProvider.DirectML => "Microsoft.ML.OnnxRuntime.DirectML",
        OnnxProvider.OpenVino => "Intel.ML.OnnxRuntime.OpenVino",
        _ => "Microsoft.ML.OnnxRuntime",
    };

    /// <summary>Holds what goes in and comes out against what is due.</summary>
    private static void Check(InferenceSession session, ExportedFile file)
    {
        var side = file.Info.ImageSize;
        Require("the input 'image'", session.InputMetadata.GetValueOrDefault("image"),
            file.Info.IsFixedSize ? TensorElementType.Float : TensorElementType.UInt8,
            file.Info.IsFixedSize ? [-1, 3, side, side] : [-1, -1, -1, 3]);
        Require("one input", session.InputMetadata.Count == 1 ? session.InputMetadata.Values.First() : null, null, []);
        foreach (var (name, type, shape) in ExportedOutputs.All(side))
        {
            Require($"the output '{name}'", session.OutputMetadata.GetValueOrDefault(name), type, shape);
        }

        void Require(string what, NodeMetadata? found, TensorElementType? type, int[] shape)
        {
            // Of sequences and maps the runtime tells neither type nor shape: to ask is an error of its own.
            var isTensor = found is { OnnxValueType: OnnxValueType.ONNX_TYPE_TENSOR };
            var isAsDue = isTensor && (type is null || (found!.ElementDataType == type
                && found.Dimensions.Length == shape.Length && found.Dimensions.Zip(shape).All(size => size.First == size.Second)));
            if (!isAsDue)
            {
                var got = found is null ? "none" : isTensor ? $"{found.ElementDataType} [{string.Join(", ", found.Dimensions)}]"
                    : $"{found.OnnxValueType}";
                throw new ModelFormatException($"{file.Origin} computes something else: expected {what}"
                    + $"{(type is null ? "" : $" of {type} [{string.Join(", ", shape)}]")}, got {got}. Export the model again.");
            }
        }
    }
}
