using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;
using static System.FormattableString;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>A class of a model as a computation in ONNX operators: from photographs to verdicts.</summary>
internal static class OnnxExport
{
    private const string FormatVersion = "1";

    /// <summary>The computation, and what its file says of itself. The caller owns the graph.</summary>
    /// <param name="model">The model.</param>
    /// <param name="className">The class.</param>
    /// <param name="options">How it is written.</param>
    /// <param name="atOnce">Similarities of one image that a search holds at a time.</param>
    /// <exception cref="NotSupportedException">It cannot be said in ONNX.</exception>
    public static (OnnxGraph Graph, IReadOnlyDictionary<string, string> Metadata) Build(KagPromptModel model, string className,
        OnnxExportOptions options, long atOnce = OnnxGraph.UsuallyAtOnce)
    {
        if (model.Options.Backbone.Precision.Type(model.Network.Device) != torch.ScalarType.Float32)
        {
            throw new NotSupportedException($"Backbone.Precision: expected {Precision.Float32} for ONNX, whose runtimes compute in 32 bit, "
                + $"got {model.Options.Backbone.Precision}: the file would not score as the model does. Fit with {Precision.Float32}.");
        }

        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var graph = new OnnxGraph(options.Precision == OnnxWeightType.Float16, atOnce, options.Quantize == OnnxQuantization.Memory);
        try
        {
            var (network, state) = (model.Network, model.Classes[className]);
            var (side, reference) = (network.ImageSize, state.Reference.Value);
            var squares = OnnxSquares.Cut(Squares(graph, model, options), reference.Region?.Square);
            var scored = network.Method.Emit(new EncoderGraph(network.Encoder, squares), reference);
            if (options.Quantize == OnnxQuantization.Memory && !graph.HasBytes)
            {
                throw new NotSupportedException($"{nameof(OnnxExportOptions)}.{nameof(options.Quantize)}: expected "
                    + $"{OnnxQuantization.None} for a model of method '{InspectionMethods.NameOf(model.Options.Method)}' as it was fitted, "
                    + $"got {options.Quantize}: it remembers no patches that are compared by angle, as 'kag' does with a bank. "
                    + $"Export it without, or store weights in 16 bit ({nameof(options.Precision)} {OnnxWeightType.Float16}).");
            }

            OnnxVerdict.Emit(scored, state.Calibration, reference.Region, side);
            return (graph, Metadata(model, className, state.Calibration, options));
        }
        catch
        {
            graph.Dispose();
            throw;
        }
    }

    /// <summary>The input, at S × S: [N, 3, S, S], numbers 0 to 255.</summary>
    private static OnnxValue Squares(OnnxGraph graph, KagPromptModel model, OnnxExportOptions options)
    {
        var side = model.MapSize;
        return options.FixedSize ? graph.Input("image", DataType.Float, "N", 3, side, side)
            : OnnxSquares.Resized(graph.Input("image", DataType.Uint8, "N", "H", "W", 3), side, model.Options.Images.ResizeMode)
                .Cast(DataType.Float);
    }

    private static Dictionary<string, string> Metadata(KagPromptModel model, string className, ThresholdCalibration calibration,
        OnnxExportOptions options)
    {
        var metadata = new Dictionary<string, string>
        {
            ["kagprompt.format"] = FormatVersion,
            ["kagprompt.version"] = OnnxFile.PackageVersion,
            ["kagprompt.method"] = InspectionMethods.NameOf(model.Options.Method),
            ["kagprompt.class"] = className,
            ["kagprompt.threshold"] = Invariant($"{calibration.Threshold:R}"),
            ["kagprompt.map_threshold"] = Invariant($"{calibration.MapThreshold:R}"),
            ["kagprompt.unlikeness_limit"] = Invariant($"{calibration.UnlikenessLimit:R}"),
            ["kagprompt.calibration"] = ModelManifest.ToJson(calibration),
            ["kagprompt.model_sha256"] = model.Sha256(),
            ["kagprompt.image_size"] = Invariant($"{model.MapSize}"),
            ["kagprompt.resize_mode"] = $"{model.Options.Images.ResizeMode}",
            ["kagprompt.input"] = options.FixedSize ? "square" : "pixels",
            ["kagprompt.orientation"] = $"{model.Options.Images.Orientation}",
            ["kagprompt.precision"] = $"{options.Precision}",
            ["kagprompt.quantize"] = $"{options.Quantize}",
        };
        if (model.Options.Regions.TryGetValue(className, out var region) && region.HasShape)
        {
            metadata["kagprompt.region"] = Invariant($$"""{"width":{{region.Width}},"height":{{region.Height}}}""");
        }

        return metadata;
    }
}
