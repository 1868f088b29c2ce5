using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>
/// A model as one safetensors stream: the manifest as metadata, the weights and banks as named tensors. No code, no pickles.
/// </summary>
internal static class ModelArchive
{
    private const string ManifestKey = "manifest";

    // In every version from 3: the SHA-256 of the manifest's text.
    private const string ManifestHashKey = "manifest.sha256";
    internal const string VisionPrefix = "vision.";
    internal const string MemoryVisionPrefix = "memory.";
    internal const string PromptPrefix = "prompt.";

    public static void Write(KagPromptModel model, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var scope = torch.NewDisposeScope();
        var network = model.Network;
        var tensors = new Dictionary<string, torch.Tensor>();
        AddTower(tensors, VisionPrefix, network.Encoder.Vision.Value);
        if (network.Encoder.Memory is not null)
        {
            AddTower(tensors, MemoryVisionPrefix, network.Encoder.Memory.Value);
        }

        foreach (var (name, weight) in network.Method.Weights)
        {
            tensors.Add(PromptPrefix + name, weight);
        }

        var classes = model.Classes.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray();
        for (var i = 0; i < classes.Length; i++)
        {
            AddClass(tensors, i, classes[i].Value.Reference.Value);
        }

        var manifest = new ModelManifest
        {
            Format = ModelManifest.FormatName,
            Version = ModelManifest.CurrentVersion,
            Backbone = Entry(network.Encoder.Vision.Value),
            MemoryBackbone = network.Encoder.Memory is null ? null : Entry(network.Encoder.Memory.Value),
            Options = model.Options with { Device = "auto" },
            HasPrompt = model.HasPrompt,
            Classes = [.. classes.Select(entry => new ModelManifest.ClassEntry(entry.Key, entry.Value.Calibration))],
            Tensors = new SortedDictionary<string, string>(
                tensors.ToDictionary(entry => entry.Key, entry => HashedTensors.HashOf(entry.Value)), StringComparer.Ordinal),
        };
        var json = manifest.ToJson();
        SafetensorsWriter.Write(destination, tensors,
            new Dictionary<string, string> { [ManifestKey] = json, [ManifestHashKey] = HashedText.HashOf(json) });
    }

    public static KagPromptModel Read(Stream source, torch.Device device, IReadOnlyList<string> backboneFolders)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            using var file = SafetensorsFile.Read(source, "model");
            var manifest = ManifestOf(file);
            if (manifest.Tensors is null)
            {
                return Build(manifest, file, device, backboneFolders);
            }

            using var hashed = new HashedTensors(file, manifest.Tensors);
            var model = Build(manifest, hashed, device, backboneFolders);
            try
            {
                hashed.CheckRest();
                return model;
            }
            catch
            {
                model.Dispose();
                throw;
            }
        }
        catch (Exception fault) when (fault is CheckpointFormatException or CheckpointMismatchException or ArgumentException
            or OverflowException or JsonException or EndOfStreamException or InvalidDataException)
        {
            throw new ModelFormatException($"The saved model is damaged: {fault.Message}", fault);
        }
    }

    /// <summary>What an opened model says of itself.</summary>
    internal static ModelManifest ManifestOf(ITensorSource file) => file.Metadata.TryGetValue(ManifestKey, out var json)
        ? ModelManifest.Parse(json, file.Metadata.GetValueOrDefault(ManifestHashKey))
        : throw new ModelFormatException("The stream holds tensors but no model manifest: expected what KagPromptModel.Save writes.");

    private static KagPromptModel Build(ModelManifest manifest, ITensorSource file, torch.Device device,
        IReadOnlyList<string> backboneFolders)
    {
        // Never in folders that the manifest names: it may be a stranger's.
        var folders = BackboneSearch.Folders(backboneFolders);
        var vision = ReadTower(manifest.Backbone, manifest.Options, new PrefixedTensors(file, VisionPrefix), folders, device);
        Shared<NetworkTower>? memory = null;
        FeatureEncoder encoder;
        try
        {
            vision.Value.Tower.MoveTo(device);
            memory = manifest.MemoryBackbone is null
                ? null
                : ReadTower(manifest.MemoryBackbone, manifest.Options, new PrefixedTensors(file, MemoryVisionPrefix), folders, device);
            memory?.Value.Tower.MoveTo(device);
            encoder = new FeatureEncoder(vision, memory, manifest.Options.Images, device);
        }
        catch
        {
            memory?.Release();
            vision.Release();
            throw;
        }

        var network = new Shared<InspectionNetwork>(ReadNetwork(encoder, manifest, new PrefixedTensors(file, PromptPrefix)));
        var states = new Dictionary<string, ClassState>();
        try
        {
            for (var i = 0; i < manifest.Classes.Count; i++)
            {
                var entry = manifest.Classes[i];
                states.Add(entry.Name, new(
                    new Shared<ClassReference>(network.Value.Method.ReadReference(new PrefixedTensors(file, $"class.{i}."), device,
                        network.Value.Place(entry.Name, manifest.Options.Regions))),
                    entry.Calibration));
            }

            return new KagPromptModel(network, manifest.Options, states);
        }
        catch
        {
            foreach (var state in states.Values)
            {
                state.Reference.Release();
            }

            network.Release();
            throw;
        }
    }

    private static ModelManifest.BackboneEntry Entry(NetworkTower tower)
        => new(tower.Name, tower.Tower.Family, tower.Tower.ConfigurationJson, tower.Reference);

    private static void AddTower(Dictionary<string, torch.Tensor> tensors, string prefix, NetworkTower tower)
    {
        foreach (var (name, weight) in tower.Reference is null ? tower.Tower.Weights : new Dictionary<string, torch.Tensor>())
        {
            tensors.Add(prefix + name, AsHalfWhereExact(weight));
        }
    }

    private static Shared<NetworkTower> ReadTower(ModelManifest.BackboneEntry entry, InspectionOptions options, ITensorSource embedded,
        IReadOnlyList<string> folders, torch.Device device)
    {
        var type = options.Backbone.Precision.Type(device);
        if (entry.Reference is not { } reference)
        {
            return new(new NetworkTower(entry.Name,
                VisionTowerFactory.Create(entry.Family, entry.Configuration, embedded, type), null, null));
        }

        var (tower, path) = BackboneSearch.Load(reference, folders,
            file => ReferredVision.Read(file, entry.Family, entry.Configuration, type));
        var folder = Path.GetDirectoryName(path)!;
        return new(new NetworkTower(entry.Name, tower, reference, ConvertedBackbone.IsOne(folder) ? folder : path));
    }

    /// <summary>Takes over the encoder, also when it throws.</summary>
    private static InspectionNetwork ReadNetwork(FeatureEncoder encoder, ModelManifest manifest, ITensorSource weights)
    {
        try
        {
            var sizes = new MethodSizes(
                encoder.Tower.Info, encoder.MemoryTower.Info, encoder.ImageSize, manifest.Options.Images.MapUpsampling, encoder.Device)
            { Tower = encoder.Tower };
            return new InspectionNetwork(encoder, manifest.Options.Method.Read(sizes, weights));
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    private static void AddClass(Dictionary<string, torch.Tensor> tensors, int index, ClassReference reference)
    {
        foreach (var (name, tensor) in reference.Tensors)
        {
            tensors.Add($"class.{index}.{name}", tensor);
        }
    }

    /// <summary>Weights that were 16-bit to begin with go back to 16 bit without losing anything; others stay as they are.</summary>
    private static torch.Tensor AsHalfWhereExact(torch.Tensor weight)
    {
        if (weight.dtype != torch.ScalarType.Float32)
        {
            return weight;
        }

        var half = weight.detach().to_type(torch.ScalarType.Float16);
        return half.to_type(weight.dtype).eq(weight).all().Value() == 1 ? half : weight;
    }
}
