using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>What a model that a fit starts from must have in common with it, and where its text side is.</summary>
internal static class InitialModel
{
    /// <exception cref="ArgumentException">The options ask for another backbone, precision or device than the model has.</exception>
    public static void Check(InspectionOptions options, torch.Device device, KagPromptModel? initial)
    {
        if (initial is null)
        {
            return;
        }

        var (wanted, had) = (options.Backbone, initial.Options.Backbone);
        var (known, memory) = (initial.Network.Encoder.Vision.Value.Name, initial.Network.Encoder.Memory?.Value.Name);
        new OptionFaults()
            .Require(options.Method.GetType() == initial.Options.Method.GetType(), "Method",
                $"the initial model's '{InspectionMethods.NameOf(initial.Options.Method)}'",
                InspectionMethods.NameOf(options.Method))
            .Require(wanted.Name == had.Name || NameOf(wanted.Name) == known, "Backbone.Name",
                $"the initial model's '{known}'", wanted.Name)
            .Require(wanted.MemoryName is null || memory is null || wanted.MemoryName == had.MemoryName
                || NameOf(wanted.MemoryName) == memory,
                "Backbone.MemoryName", $"the initial model's '{memory}'", wanted.MemoryName)
            .Require(IsOrNull(wanted.Taps, had.Taps), "Backbone.Taps", "the initial model's, or null", wanted.Taps)
            .Require(IsOrNull(wanted.MemoryTaps, had.MemoryTaps), "Backbone.MemoryTaps", "the initial model's, or null", wanted.MemoryTaps)
            .Require(wanted.Precision == had.Precision, "Backbone.Precision", $"the initial model's {had.Precision}", wanted.Precision)
            .Require(initial.Network.Device.ToString() == device.ToString(), "Device",
                $"the initial model's '{initial.Network.Device}'", device)
            .ThrowIfAny(nameof(InspectionOptions));

        string NameOf(string backbone) => BackboneSources.Open(backbone, wanted.Folders).Name;
    }

    /// <summary>Where a model's text side is; its vision side there must be the one the model was trained with.</summary>
    /// <exception cref="KagPromptException">Other weights are there.</exception>
    public static IBackboneSource Source(InspectionOptions options, KagPromptModel? model)
    {
        if (model is null)
        {
            return BackboneSources.Open(options.Backbone.Name, options.Backbone.Folders);
        }

        var vision = model.Network.Encoder.Vision.Value;
        var source = BackboneSources.Open(vision.Location ?? model.Options.Backbone.Name, options.Backbone.Folders);
        return IsSame(source, vision, options.Backbone) ? source : throw new KagPromptException(
            $"The model was trained with other weights of backbone '{vision.Name}' than are here ('{source.Location ?? source.Name}'), "
            + "so prompts for a new class name cannot be encoded. Use a class name the model knows, or fit the model again.");
    }

    private static bool IsOrNull(IReadOnlyList<int>? taps, IReadOnlyList<int>? known) => taps is null || taps.SequenceEqual(known ?? []);

    private static bool IsSame(IBackboneSource source, NetworkTower vision, BackboneOptions options)
    {
        if (vision.Reference is { } reference)
        {
            return source.Reference()?.Sha256 == reference.Sha256;
        }

        using var here = NetworkTower.Load(source, options with { Storage = BackboneStorage.Embed }, options.Taps,
            vision.Tower.Weights.First().Value.device);
        return TowerFingerprint.Compute(here.Tower) == TowerFingerprint.Compute(vision.Tower);
    }
}
