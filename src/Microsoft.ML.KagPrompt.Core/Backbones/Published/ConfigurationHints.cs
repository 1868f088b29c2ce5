using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones.Published;

/// <summary>What a config.json or open_clip_config.json beside a checkpoint says that its tensors do not: heads and activation.</summary>
internal static class ConfigurationHints
{
    private const long Largest = 1 << 20;

    public static LayoutHints Beside(string checkpoint)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;
        return Read(Path.Combine(folder, "open_clip_config.json"), OpenClip) ?? Read(Path.Combine(folder, "config.json"), HuggingFace)
            ?? LayoutHints.None;
    }

    private static LayoutHints? Read(string path, Func<JsonElement, LayoutHints> parse)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(SmallFile.ReadAll(path, Largest), new JsonDocumentOptions { MaxDepth = 16 });
            return json.RootElement.ValueKind == JsonValueKind.Object ? parse(json.RootElement) : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException or CheckpointFormatException)
        {
            // Some other program's file: the checkpoint speaks for itself.
            return null;
        }
    }

    private static LayoutHints HuggingFace(JsonElement root) => new()
    {
        VisionHeads = Number(Part(root, "vision_config") ?? root, "num_attention_heads"),
        TextHeads = Part(root, "text_config") is { } text ? Number(text, "num_attention_heads") : null,
        Activation = Part(root, "vision_config") is { } vision ? Named(vision) : null,
    };

    private static LayoutHints OpenClip(JsonElement root)
    {
        var model = Part(root, "model_cfg") ?? root;
        return new()
        {
            TextHeads = Part(model, "text_cfg") is { } text ? Number(text, "heads") : null,
            Activation = model.TryGetProperty("quick_gelu", out var quick) && quick.ValueKind == JsonValueKind.True
                ? Activation.QuickGelu
                : Activation.Gelu,
        };
    }

    private static Activation? Named(JsonElement config)
        => config.TryGetProperty("hidden_act", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString() switch { "quick_gelu" => Activation.QuickGelu, "gelu" => Activation.Gelu, _ => null }
            : null;

    private static JsonElement? Part(JsonElement element, string name)
        => element.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Object ? part : null;

    private static int? Number(JsonElement element, string name)
        => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : null;
}
