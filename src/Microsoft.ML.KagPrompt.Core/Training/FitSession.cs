using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Graph;
using Microsoft.ML.KagPrompt.Model;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Training;

/// <summary>One run of fitting or adapting. Whatever it makes is disposed again when it fails.</summary>
internal sealed class FitSession(InspectionOptions options, torch.Device device, ProgressClock clock, CancellationToken cancellation)
{
    private readonly int seed = options.Seed ?? 0;

    public KagPromptModel Run(IEnumerable<TrainingImage> images, KagPromptModel? initial)
    {
        CheckFits(initial);
        using var texts = new PromptTexts(() => LoadBackbone(initial), device);
        var network = new Shared<InspectionNetwork>(NewNetwork(initial, texts));
        var states = new Dictionary<string, ClassState>();
        try
        {
            var set = Read(images, network.Value);
            var textFeatures = TextFeaturesOf(set, network.Value, texts, initial);
            try
            {
                if (options.Epochs > 0)
                {
                    new GraphTrainer(network.Value, textFeatures).Train([.. set.Normal], seed, clock.Report, cancellation);
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
        using var texts = new PromptTexts(() => LoadBackbone(model), device);
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

    private InspectionNetwork NewNetwork(KagPromptModel? initial, PromptTexts texts)
    {
        var vision = initial is null ? new Shared<IVisionTower>(texts.Backbone.TakeVision()) : initial.Network.Vision.Acquire();
        GraphPrompt? prompt = null;
        try
        {
            prompt = NewPrompt(vision.Value.Info, initial?.Network.Prompt);
            return new InspectionNetwork(options.Backbone, vision, prompt, options, device);
        }
        catch
        {
            prompt?.Dispose();
            vision.Release();
            throw;
        }
    }

    /// <summary>The starting point of training, or the trained prompt as it is; null where the bank alone scores.</summary>
    private GraphPrompt? NewPrompt(VisionTowerInfo info, GraphPrompt? initial)
    {
        if (initial is null && options.Epochs == 0)
        {
            return null;
        }

        var prompt = new GraphPrompt(GraphPromptConfig.For(info, options.Variant, options.Iterations), seed);
        prompt.MoveTo(device);
        if (initial is not null)
        {
            prompt.CopyFrom(initial);
        }

        return prompt;
    }

    private void CheckFits(KagPromptModel? initial)
    {
        if (initial is null)
        {
            return;
        }

        new OptionFaults()
            .Require(initial.Network.BackboneName == options.Backbone, nameof(options.Backbone), $"the initial model's '{initial.Network.BackboneName}'", options.Backbone)
            .Require(initial.Network.Device.ToString() == device.ToString(), nameof(options.Device), $"the initial model's '{initial.Network.Device}'", device)
            .ThrowIfAny(options.GetType().Name);
    }

    /// <summary>The text side of a model's backbone; its vision side must be the one the model was trained with.</summary>
    private Backbone LoadBackbone(KagPromptModel? model)
    {
        var backbone = BackbonePresets.Load(model?.Network.BackboneName ?? options.Backbone);
        if (model is not null && TowerFingerprint.Of(backbone.Vision) != TowerFingerprint.Of(model.Network.Tower))
        {
            backbone.Dispose();
            throw new KagPromptException($"The model was trained with other weights of backbone '{model.Network.BackboneName}' than this library holds, "
                + "so prompts for a new class name cannot be encoded. Use a class name the model knows, or fit the model again.");
        }

        backbone.MoveTo(device);
        return backbone;
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
