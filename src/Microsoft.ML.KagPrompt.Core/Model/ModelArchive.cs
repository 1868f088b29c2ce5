using Microsoft.ML.KagPrompt.Backbones;
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
    private const string VisionPrefix = "vision.";
    private const string PromptPrefix = "prompt.";

    public static void Write(KagPromptModel model, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var scope = torch.NewDisposeScope();
        var network = model.Network;
        var tensors = new Dictionary<string, torch.Tensor>();
        foreach (var (name, weight) in network.Tower.Weights)
        {
            tensors.Add(VisionPrefix + name, AsHalfWhereExact(weight));
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
            Backbone = new(network.BackboneName, network.Tower.Family, network.Tower.ConfigurationJson),
            Options = network.Options with { Device = "auto" },
            HasPrompt = network.Prompt is not null,
            Classes = [.. classes.Select(entry => new ModelManifest.ClassEntry(entry.Key, entry.Value.Calibration,
                entry.Value.Reference.Value.TextFeatures is not null, entry.Value.Reference.Value.Bank is not null))],
        };
        SafetensorsWriter.Write(destination, tensors, new Dictionary<string, string> { [ManifestKey] = manifest.ToJson() });
    }

    public static KagPromptModel Read(Stream source, torch.Device device)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            using var file = SafetensorsFile.Read(source, "model");
            if (!file.Metadata.TryGetValue(ManifestKey, out var json))
            {
                throw new ModelFormatException("The stream holds tensors but no model manifest: expected what KagPromptModel.Save writes.");
            }

            return Build(ModelManifest.Parse(json), file, device);
        }
        catch (Exception fault) when (fault is CheckpointFormatException or CheckpointMismatchException)
        {
            throw new ModelFormatException($"The saved model is damaged: {fault.Message}", fault);
        }
    }

    private static KagPromptModel Build(ModelManifest manifest, ITensorSource file, torch.Device device)
    {
        var vision = new Shared<IVisionTower>(VisionTowerFactory.Create(manifest.Backbone.Family, manifest.Backbone.Configuration, new PrefixedTensors(file, VisionPrefix)));
        Shared<InspectionNetwork> network;
        GraphPrompt? prompt = null;
        try
        {
            vision.Value.MoveTo(device);
            prompt = manifest.HasPrompt ? ReadPrompt(manifest, vision.Value.Info, file, device) : null;
            network = new(new InspectionNetwork(manifest.Backbone.Name, vision, prompt, manifest.Options, device));
        }
        catch
        {
            prompt?.Dispose();
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

    private static GraphPrompt ReadPrompt(ModelManifest manifest, VisionTowerInfo info, ITensorSource file, torch.Device device)
    {
        var prompt = new GraphPrompt(GraphPromptConfig.For(info, manifest.Options.Variant, manifest.Options.Iterations), seed: 0);
        try
        {
            prompt.Load(new PrefixedTensors(file, PromptPrefix));
            prompt.MoveTo(device);
            return prompt;
        }
        catch
        {
            prompt.Dispose();
            throw;
        }
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
        var info = network.Tower.Info;
        torch.Tensor? text = null;
        if (entry.HasText)
        {
            text = ReadFloat(file, $"class.{index}.text", 2, info.JointWidth).to(network.Device);
        }

        MemoryBank? bank = null;
        if (entry.HasBank)
        {
            var widths = network.Options.MemoryFeatures == MemoryFeatures.Graph ? info.TapWidths.Select(_ => info.JointWidth) : info.TapWidths;
            bank = MemoryBank.FromNormalized([.. widths.Select((width, layer) => ReadFloat(file, $"class.{index}.bank.{layer}", -1, width).to(network.Device))]);
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
        var half = weight.detach().to_type(torch.ScalarType.Float16);
        return half.to_type(weight.dtype).eq(weight).all().Value() == 1 ? half : weight;
    }
}
