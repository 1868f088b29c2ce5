using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>One run of fitting or adapting. Whatever it makes is disposed again when it fails.</summary>
/// <param name="options">The choices.</param>
/// <param name="device">Where it computes.</param>
/// <param name="clock">Told of every step.</param>
/// <param name="cancellation">Stops between images and steps.</param>
/// <param name="sharing">What other fits have, too; null: there are none.</param>
internal sealed class FitSession(InspectionOptions options, torch.Device device, ProgressClock clock, CancellationToken cancellation,
    FitSharing? sharing = null)
{
    private readonly int seed = options.Seed ?? 0;

    // What was left to the fit to choose is chosen in it.
    private InspectionOptions options = options;

    public KagPromptModel Run(IEnumerable<TrainingImage> images, KagPromptModel? initial)
    {
        InitialModel.Check(options, device, initial);
        using var texts = TextsOf(initial);
        using var towers = new FitTowers(options.Backbone, device, initial?.Network.Encoder, sharing);
        using var opened = options.Images.Tiles == ImageOptions.AutoTiles ? images.GetEnumerator() : null;
        if (opened is not null)
        {
            var first = opened.MoveNext() ? opened.Current : null;
            images = first is null ? [] : All(first, opened);
            options = TileChoice.Resolve(options, first, candidate => NewNetwork(candidate, towers, initial, texts), texts);
        }

        var network = new Shared<InspectionNetwork>(NewNetwork(options, towers, initial, texts));
        var states = new Dictionary<string, ClassState>();
        try
        {
            var regions = new ClassRegions(options.Regions, network.Value);
            var set = Read(images, network.Value, regions);
            ClassRegions.RequireKnown(options.Regions.Keys, set.ClassNames);
            var textFeatures = TextFeaturesOf(set, network.Value, texts, initial);
            try
            {
                var run = new TrainingRun(network.Value.Encoder, [.. set.Normal], textFeatures, options.Synthesis, seed,
                    clock.Report, cancellation);
                if (network.Value.Method is ITrainedMethod method && method.Train(run))
                {
                    // Before the classes are built: what that takes stays, as scoring will need it again.
                    NativeHeap.Release();
                }

                BuildClasses(set, network.Value, textFeatures, texts, regions, states);
            }
            finally
            {
                Dispose(textFeatures.Values);
            }

            return new KagPromptModel(network, options, states);
        }
        catch
        {
            Release(states);
            network.Release();
            throw;
        }
    }

    /// <summary>Loads what a fit would begin with, and lets go of it.</summary>
    public void Check(KagPromptModel? initial)
    {
        InitialModel.Check(options, device, initial);
        using var texts = TextsOf(initial);
        using var towers = new FitTowers(options.Backbone, device, initial?.Network.Encoder);
        NewNetwork(options, towers, initial, texts).Dispose();
    }

    /// <param name="model">Stays as it is.</param>
    /// <param name="images">Of the classes to adapt to.</param>
    /// <param name="named">Classes whose regions come with the images; the options hold them.</param>
    public KagPromptModel Adapt(KagPromptModel model, IEnumerable<TrainingImage> images, IEnumerable<string> named)
    {
        var network = model.Network;
        using var texts = TextsOf(model);
        var states = new Dictionary<string, ClassState>();
        try
        {
            var regions = new ClassRegions(options.Regions, network);
            var set = Read(images, network, regions);
            ClassRegions.RequireKnown(named, set.ClassNames);
            var textFeatures = TextFeaturesOf(set, network, texts, model);
            try
            {
                BuildClasses(set, network, textFeatures, texts, regions, states);
            }
            finally
            {
                Dispose(textFeatures.Values);
            }

            foreach (var (name, state) in model.Classes.Where(entry => !states.ContainsKey(entry.Key)))
            {
                states.Add(name, state with { Reference = state.Reference.Acquire() });
            }

            return model.With(states, options);
        }
        catch
        {
            Release(states);
            throw;
        }
    }

    /// <summary>Texts by the backbone of a model, or by the options' own, which other fits have, too.</summary>
    private PromptTexts TextsOf(KagPromptModel? model) => new(() => InitialModel.Source(options, model), options.Method.Sentences, device,
        model is null && sharing is not null ? load => sharing.Text(options.Backbone, device, load) : null);

    private FitSet Read(IEnumerable<TrainingImage> images, InspectionNetwork network, ClassRegions regions)
        => FitSet.Read(images, network.Preprocessor, count => clock.Report("images", count, 0), cancellation, regions);

    private void BuildClasses(FitSet set, InspectionNetwork network, Dictionary<string, torch.Tensor> textFeatures, PromptTexts texts,
        ClassRegions regions, Dictionary<string, ClassState> states)
    {
        var builder = new ReferenceBuilder(network, options, texts, seed, clock.Report, cancellation);
        foreach (var name in set.ClassNames)
        {
            clock.Report("memory", states.Count, set.ClassNames.Count);
            textFeatures.Remove(name, out var features);
            states.Add(name, builder.Build(set, name, features, regions.Find(name)));
        }

        clock.Report("memory", states.Count, set.ClassNames.Count);
    }

    /// <summary>F_text of every class, copied from the model that knows it or else computed; none where the method uses no text.</summary>
    private static Dictionary<string, torch.Tensor> TextFeaturesOf(FitSet set, InspectionNetwork network, PromptTexts texts,
        KagPromptModel? known)
    {
        var features = new Dictionary<string, torch.Tensor>();
        try
        {
            foreach (var name in network.Method.UsesText ? set.ClassNames : [])
            {
                // What was learnt of other supports is learnt again.
                var kept = network.Method is IClassLearningMethod
                    ? null
                    : known?.Classes.GetValueOrDefault(name)?.Reference.Value.TextFeatures;
                features.Add(name, (kept?.clone() ?? network.Method.Describe(texts, name)).DetachFromDisposeScope());
            }

            return features;
        }
        catch
        {
            Dispose(features.Values);
            throw;
        }
    }

    /// <summary>All images of an enumeration that has come to its first.</summary>
    private static IEnumerable<TrainingImage> All(TrainingImage first, IEnumerator<TrainingImage> opened)
    {
        yield return first;
        while (opened.MoveNext())
        {
            yield return opened.Current;
        }
    }

    private InspectionNetwork NewNetwork(InspectionOptions options, FitTowers towers, KagPromptModel? initial, PromptTexts texts)
    {
        var encoder = towers.Encoder(options.Images);
        try
        {
            var sizes = new MethodSizes(
                encoder.Tower.Info, encoder.MemoryTower.Info, encoder.ImageSize, options.Images.MapUpsampling, device)
            { Tower = encoder.Tower };
            var vision = encoder.Vision.Value;
            var start = new MethodStart(sizes, vision.Name, vision.Heads, initial?.Network.Method, seed) { Texts = texts };
            return new InspectionNetwork(encoder, options.Method.Create(start));
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
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
