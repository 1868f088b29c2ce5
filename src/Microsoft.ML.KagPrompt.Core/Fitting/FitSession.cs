using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>One run of fitting or adapting. Whatever it makes is disposed again when it fails.</summary>
internal sealed class FitSession(InspectionOptions options, torch.Device device, ProgressClock clock, CancellationToken cancellation)
{
    private readonly int seed = options.Seed ?? 0;
    private bool startsTrained;

    public KagPromptModel Run(IEnumerable<TrainingImage> images, KagPromptModel? initial, string? promptCheckpoint)
    {
        CheckFits(initial);
        using var texts = new PromptTexts(() => Source(initial), options.Prompts, device);
        var network = new Shared<InspectionNetwork>(NewNetwork(initial, promptCheckpoint));
        var states = new Dictionary<string, ClassState>();
        try
        {
            var set = Read(images, network.Value);
            var textFeatures = TextFeaturesOf(set, network.Value, texts, initial);
            try
            {
                if (options.Epochs > 0)
                {
                    new GraphTrainer(network.Value, textFeatures, startsTrained: startsTrained).Train([.. set.Normal], seed, clock.Report, cancellation);
                    // Before the classes are built: what that takes stays, as scoring will need it again.
                    NativeHeap.Release();
                }

                BuildClasses(set, network.Value, textFeatures, states);
            }
            finally
            {
                Dispose(textFeatures.Values);
            }

            return new KagPromptModel(network, states);
        }
        catch
        {
            Release(states);
            network.Release();
            throw;
        }
    }

    public KagPromptModel Adapt(KagPromptModel model, IEnumerable<TrainingImage> images)
    {
        var network = model.Network;
        using var texts = new PromptTexts(() => Source(model), options.Prompts, device);
        var states = new Dictionary<string, ClassState>();
        try
        {
            var set = Read(images, network);
            var textFeatures = TextFeaturesOf(set, network, texts, model);
            try
            {
                BuildClasses(set, network, textFeatures, states);
            }
            finally
            {
                Dispose(textFeatures.Values);
            }

            foreach (var (name, state) in model.Classes.Where(entry => !states.ContainsKey(entry.Key)))
            {
                states.Add(name, state with { Reference = state.Reference.Acquire() });
            }

            return model.With(states);
        }
        catch
        {
            Release(states);
            throw;
        }
    }

    private FitSet Read(IEnumerable<TrainingImage> images, InspectionNetwork network)
        => FitSet.Read(images, network.Preprocessor, count => clock.Report("images", count, 0), cancellation);

    private void BuildClasses(FitSet set, InspectionNetwork network, Dictionary<string, torch.Tensor> textFeatures, Dictionary<string, ClassState> states)
    {
        var builder = new ReferenceBuilder(network, seed, cancellation);
        foreach (var name in set.ClassNames)
        {
            clock.Report("memory", states.Count, set.ClassNames.Count);
            textFeatures.Remove(name, out var features);
            states.Add(name, builder.Build(set, name, features));
        }

        clock.Report("memory", states.Count, set.ClassNames.Count);
    }

    /// <summary>F_text of every class, copied from the model that knows it or else computed; none where there is no prompt.</summary>
    private static Dictionary<string, torch.Tensor> TextFeaturesOf(FitSet set, InspectionNetwork network, PromptTexts texts, KagPromptModel? known)
    {
        var features = new Dictionary<string, torch.Tensor>();
        try
        {
            foreach (var name in network.Prompt is null ? [] : set.ClassNames)
            {
                var kept = known?.Classes.GetValueOrDefault(name)?.Reference.Value.TextFeatures;
                features.Add(name, (kept?.clone() ?? texts.For(name)).DetachFromDisposeScope());
            }

            return features;
        }
        catch
        {
            Dispose(features.Values);
            throw;
        }
    }

    private InspectionNetwork NewNetwork(KagPromptModel? initial, string? promptCheckpoint)
    {
        var vision = initial?.Network.Vision.Acquire() ?? LoadTower(options.Backbone, options.Taps);
        Shared<NetworkTower>? memory = null;
        GraphPrompt? prompt = null;
        try
        {
            memory = options.MemoryBackbone is null ? null : initial?.Network.Memory?.Acquire() ?? LoadTower(options.MemoryBackbone, options.MemoryTaps);
            prompt = promptCheckpoint is null ? NewPrompt(vision.Value.Tower.Info, initial) : ReadPrompt(promptCheckpoint, vision.Value);
            return new InspectionNetwork(vision, memory, prompt, options, device);
        }
        catch
        {
            prompt?.Dispose();
            memory?.Release();
            vision.Release();
            throw;
        }
    }

    private Shared<NetworkTower> LoadTower(string name, IReadOnlyList<int>? taps)
    {
        var tower = new Shared<NetworkTower>(NetworkTower.Load(BackboneSources.Open(name, options.BackboneFolders), options, taps));
        tower.Value.Tower.MoveTo(device);
        return tower;
    }

    /// <summary>The starting point of training, or the trained prompt as it is; null where the bank alone scores.</summary>
    private GraphPrompt? NewPrompt(VisionTowerInfo info, KagPromptModel? model)
    {
        var initial = options.FromScratch ? null : model?.Network.Prompt;
        // A model may hold an earlier backbone, which the shipped prompt does not know.
        if (model is null && PretrainedPrompt.For(options, info) is { } pretrained)
        {
            pretrained.MoveTo(device);
            startsTrained = true;
            return pretrained;
        }

        if (initial is null && options.Epochs == 0)
        {
            return null;
        }

        var prompt = new GraphPrompt(GraphPromptConfig.For(info, options.Variant, options.Iterations), seed);
        prompt.MoveTo(device);
        if (initial is not null)
        {
            prompt.CopyFrom(initial);
            startsTrained = true;
        }

        return prompt;
    }

    /// <summary>The authors' prompt, which must have been trained on features of these sizes.</summary>
    private GraphPrompt ReadPrompt(string path, NetworkTower vision)
    {
        new OptionFaults()
            .Require(options.Variant == GraphVariant.Released, nameof(options.Variant), $"{GraphVariant.Released} for the authors' checkpoint '{path}'", options.Variant)
            .Require(!options.FromScratch, nameof(options.FromScratch), $"false with the checkpoint '{path}', which is a starting point", options.FromScratch)
            .ThrowIfAny(options.GetType().Name);
        using var source = CheckpointFile.Open(path);
        var prompt = ReleasedCheckpoint.Read(source, options.Iterations);
        try
        {
            var info = vision.Tower.Info;
            if (!prompt.TapWidths.SequenceEqual(info.TapWidths) || prompt.JointWidth != info.JointWidth)
            {
                throw new CheckpointMismatchException($"'{path}' was trained on features of widths {string.Join(", ", prompt.TapWidths)} and joint width {prompt.JointWidth}: backbone '{vision.Name}' gives "
                    + $"{string.Join(", ", info.TapWidths)} and {info.JointWidth}. Name the backbone it was trained on (the authors': ImageBind-Huge).");
            }

            prompt.MoveTo(device);
            startsTrained = true;
            return prompt;
        }
        catch
        {
            prompt.Dispose();
            throw;
        }
    }

    private void CheckFits(KagPromptModel? initial)
    {
        if (initial is null)
        {
            return;
        }

        var (known, memory) = (initial.Network.Vision.Value.Name, initial.Network.Memory?.Value.Name);
        new OptionFaults()
            .Require(options.Backbone == initial.Options.Backbone || NameOf(options.Backbone) == known, nameof(options.Backbone), $"the initial model's '{known}'", options.Backbone)
            .Require(options.MemoryBackbone is null || memory is null || options.MemoryBackbone == initial.Options.MemoryBackbone || NameOf(options.MemoryBackbone) == memory,
                nameof(options.MemoryBackbone), $"the initial model's '{memory}'", options.MemoryBackbone)
            .Require(IsOrNull(options.Taps, initial.Options.Taps), nameof(options.Taps), "the initial model's, or null", options.Taps)
            .Require(IsOrNull(options.MemoryTaps, initial.Options.MemoryTaps), nameof(options.MemoryTaps), "the initial model's, or null", options.MemoryTaps)
            .Require(options.Precision == initial.Options.Precision, nameof(options.Precision), $"the initial model's {initial.Options.Precision}", options.Precision)
            .Require(options.Variant == initial.Options.Variant || !initial.HasPrompt, nameof(options.Variant), $"the initial model's {initial.Options.Variant}", options.Variant)
            .Require(initial.Network.Device.ToString() == device.ToString(), nameof(options.Device), $"the initial model's '{initial.Network.Device}'", device)
            .ThrowIfAny(options.GetType().Name);
    }

    private static bool IsOrNull(IReadOnlyList<int>? taps, IReadOnlyList<int>? known) => taps is null || taps.SequenceEqual(known ?? []);

    private string NameOf(string backbone) => BackboneSources.Open(backbone, options.BackboneFolders).Name;

    /// <summary>Where a model's text side is; its vision side there must be the one the model was trained with.</summary>
    private IBackboneSource Source(KagPromptModel? model)
    {
        if (model is null)
        {
            return BackboneSources.Open(options.Backbone, options.BackboneFolders);
        }

        var vision = model.Network.Vision.Value;
        var source = BackboneSources.Open(vision.Location ?? model.Options.Backbone, options.BackboneFolders);
        return IsSame(source, vision) ? source : throw new KagPromptException($"The model was trained with other weights of backbone '{vision.Name}' than are here ('{source.Location ?? source.Name}'), "
            + "so prompts for a new class name cannot be encoded. Use a class name the model knows, or fit the model again.");
    }

    private bool IsSame(IBackboneSource source, NetworkTower vision)
    {
        if (vision.Reference is { } reference)
        {
            return source.Reference()?.Sha256 == reference.Sha256;
        }

        using var here = NetworkTower.Load(source, options with { BackboneStorage = BackboneStorage.Embed }, options.Taps);
        return TowerFingerprint.Of(here.Tower) == TowerFingerprint.Of(vision.Tower);
    }

    private static void Dispose(IEnumerable<torch.Tensor> tensors)
    {
        foreach (var tensor in tensors)
        {
            tensor.Dispose();
        }
    }

    private static void Release(Dictionary<string, ClassState> states)
    {
        foreach (var state in states.Values)
        {
            state.Reference.Release();
        }
    }
}
