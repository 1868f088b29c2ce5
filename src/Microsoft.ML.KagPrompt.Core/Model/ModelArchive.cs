using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Graph;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Scoring;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>A model as one safetensors stream: the manifest as metadata, the weights and banks as named tensors. No code, no pickles.</summary>
internal static class ModelArchive
{
    private const string ManifestKey = "manifest";
    internal const string VisionPrefix = "vision.";
    internal const string MemoryVisionPrefix = "memory.";
    internal const string PromptPrefix = "prompt.";

    public static void Write(KagPromptModel model, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var scope = torch.NewDisposeScope();
        var network = model.Network;
        var tensors = new Dictionary<string, torch.Tensor>();
        AddTower(tensors, VisionPrefix, network.Vision.Value);
        if (network.Memory is not null)
        {
            AddTower(tensors, MemoryVisionPrefix, network.Memory.Value);
        }

        foreach (var (name, weight) in network.Prompt?.Weights ?? new Dictionary<string, torch.Tensor>())
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
            Backbone = Entry(network.Vision.Value),
            MemoryBackbone = network.Memory is null ? null : Entry(network.Memory.Value),
            Options = network.Options with { Device = "auto" },
            HasPrompt = network.Prompt is not null,
            Classes = [.. classes.Select(entry => new ModelManifest.ClassEntry(entry.Key, entry.Value.Calibration,
                entry.Value.Reference.Value.TextFeatures is not null, entry.Value.Reference.Value.Bank is not null))],
        };
        SafetensorsWriter.Write(destination, tensors, new Dictionary<string, string> { [ManifestKey] = manifest.ToJson() });
    }

    public static KagPromptModel Read(Stream source, torch.Device device, IReadOnlyList<string> backboneFolders)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            using var file = SafetensorsFile.Read(source, "model");
            return Build(ManifestOf(file), file, device, backboneFolders);
        }
        catch (Exception fault) when (fault is CheckpointFormatException or CheckpointMismatchException)
        {
            throw new ModelFormatException($"The saved model is damaged: {fault.Message}", fault);
        }
    }

    /// <summary>What an opened model says of itself.</summary>
    internal static ModelManifest ManifestOf(ITensorSource file) => file.Metadata.TryGetValue(ManifestKey, out var json) ? ModelManifest.Parse(json)
        : throw new ModelFormatException("The stream holds tensors but no model manifest: expected what KagPromptModel.Save writes.");

    private static KagPromptModel Build(ModelManifest manifest, ITensorSource file, torch.Device device, IReadOnlyList<string> backboneFolders)
    {
        var folders = BackboneSearch.Folders(backboneFolders.Concat(manifest.Options.BackboneFolders));
        var vision = ReadTower(manifest.Backbone, manifest.Options, new PrefixedTensors(file, VisionPrefix), folders);
        Shared<NetworkTower>? memory = null;
        Shared<InspectionNetwork> network;
        GraphPrompt? prompt = null;
        try
        {
            vision.Value.Tower.MoveTo(device);
            memory = manifest.MemoryBackbone is null ? null : ReadTower(manifest.MemoryBackbone, manifest.Options, new PrefixedTensors(file, MemoryVisionPrefix), folders);
            memory?.Value.Tower.MoveTo(device);
            prompt = manifest.HasPrompt ? ReadPrompt(manifest, vision.Value.Tower.Info, file, device) : null;
            network = new(new InspectionNetwork(vision, memory, prompt, manifest.Options, device));
        }
        catch
        {
            prompt?.Dispose();
            memory?.Release();
            vision.Release();
            throw;
        }

        var states = new Dictionary<string, ClassState>();
        try
        {
            for (var i = 0; i < manifest.Classes.Count; i++)
            {
                var entry = manifest.Classes[i];
                states.Add(entry.Name, new(new Shared<ClassReference>(ReadClass(entry, i, file, network.Value)), entry.Calibration));
            }

            return new KagPromptModel(network, states);
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

    private static ModelManifest.BackboneEntry Entry(NetworkTower tower) => new(tower.Name, tower.Tower.Family, tower.Tower.ConfigurationJson, tower.Reference);

    private static void AddTower(Dictionary<string, torch.Tensor> tensors, string prefix, NetworkTower tower)
    {
        foreach (var (name, weight) in tower.Reference is null ? tower.Tower.Weights : new Dictionary<string, torch.Tensor>())
        {
            tensors.Add(prefix + name, AsHalfWhereExact(weight));
        }
    }

    private static Shared<NetworkTower> ReadTower(ModelManifest.BackboneEntry entry, InspectionOptions options, ITensorSource embedded, IReadOnlyList<string> folders)
    {
        var type = options.Precision.Type();
        if (entry.Reference is not { } reference)
        {
            return new(new NetworkTower(entry.Name, VisionTowerFactory.Create(entry.Family, entry.Configuration, embedded, type), null, null));
        }

        // Where it lay when the model was fitted is worth a look too.
        var usual = new[] { options.Backbone, options.MemoryBackbone }.OfType<string>().Select(place => File.Exists(place) ? Path.GetDirectoryName(Path.GetFullPath(place))! : place).Where(Directory.Exists);
        var (tower, path) = BackboneSearch.Load(reference, [.. folders, .. usual], file => ReferredVision.Read(file, entry.Family, entry.Configuration, type));
        var folder = Path.GetDirectoryName(path)!;
        return new(new NetworkTower(entry.Name, tower, reference, ConvertedBackbone.IsOne(folder) ? folder : path));
    }

    private static GraphPrompt ReadPrompt(ModelManifest manifest, VisionTowerInfo info, ITensorSource file, torch.Device device)
    {
        var prompt = GraphPrompt.Read(GraphPromptConfig.For(info, manifest.Options.Variant, manifest.Options.Iterations), new PrefixedTensors(file, PromptPrefix));
        prompt.MoveTo(device);
        return prompt;
    }

    private static void AddClass(Dictionary<string, torch.Tensor> tensors, int index, ClassReference reference)
    {
        if (reference.TextFeatures is not null)
        {
            tensors.Add($"class.{index}.text", reference.TextFeatures);
        }

        for (var layer = 0; layer < (reference.Bank?.Layers.Count ?? 0); layer++)
        {
            tensors.Add($"class.{index}.bank.{layer}", reference.Bank!.Layers[layer]);
        }
    }

    private static ClassReference ReadClass(ModelManifest.ClassEntry entry, int index, ITensorSource file, InspectionNetwork network)
    {
        using var scope = torch.NewDisposeScope();
        torch.Tensor? text = null;
        if (entry.HasText)
        {
            text = ReadFloat(file, $"class.{index}.text", 2, network.Tower.Info.JointWidth).to(network.Device);
        }

        MemoryBank? bank = null;
        if (entry.HasBank)
        {
            bank = MemoryBank.FromNormalized([.. network.BankWidths.Select((width, layer) => ReadFloat(file, $"class.{index}.bank.{layer}", -1, width).to(network.Device))]);
        }

        return new ClassReference(text?.DetachFromDisposeScope(), bank);
    }

    private static torch.Tensor ReadFloat(ITensorSource file, string name, long rows, long columns)
    {
        if (!file.Entries.TryGetValue(name, out var info) || info.Type != torch.ScalarType.Float32 || info.Shape.Count != 2
            || info.Shape[1] != columns || (rows >= 0 && info.Shape[0] != rows) || info.Shape[0] == 0)
        {
            throw new ModelFormatException($"The saved model's tensor '{name}': expected float32 [{(rows < 0 ? "rows" : rows.ToString(System.Globalization.CultureInfo.InvariantCulture))}, {columns}], "
                + $"got {(info is null ? "nothing" : $"{info.Type} [{string.Join(", ", info.Shape)}]")}.");
        }

        return file.Read(name);
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
