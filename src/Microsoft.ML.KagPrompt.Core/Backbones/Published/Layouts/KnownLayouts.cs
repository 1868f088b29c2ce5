using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>Recognises a published checkpoint by its names.</summary>
internal static class KnownLayouts
{
    /// <summary>The layout of a checkpoint, all names and shapes checked.</summary>
    /// <exception cref="CheckpointMismatchException">It is of no known family, or not whole.</exception>
    public static BackboneLayout Recognise(ITensorSource source, LayoutHints hints)
    {
        BackboneLayout layout;
        try
        {
            layout = Read(source, hints);
        }
        catch (ArgumentException fault)
        {
            // Sizes that shapes and names tell, checked as a caller's own would be.
            throw new CheckpointMismatchException($"{source.Origin} is no backbone of sizes that can be: {fault.Message}");
        }

        layout.Check(source);
        return layout;
    }

    private static BackboneLayout Read(ITensorSource source, LayoutHints hints)
        => ImageBindLayout.Matches(source) ? ImageBindLayout.Read(source, hints)
            : ClipLayout.Matches(source) ? ClipLayout.Read(source, hints)
            : HuggingFaceClipLayout.Matches(source) ? HuggingFaceClipLayout.Read(source, hints)
            : DinoV2Layout.Matches(source) ? DinoV2Layout.Read(source, hints)
            : ResNetLayout.Matches(source) ? throw new CheckpointMismatchException($"{source.Origin} is a ResNet, which is used as it is: "
                + "name the file as the backbone (Backbone.Name); there is nothing to convert.")
            : IsGraphPrompt(source) ? throw new CheckpointMismatchException(
                $"{source.Origin} is a graph prompt of the authors' code, not a backbone: "
                + "name it in Prompt.CheckpointPath, with Prompt.Variant = Released and the backbone it was trained on.")
            : throw new CheckpointMismatchException($"{source.Origin} is of no known family: expected the names of ImageBind, OpenCLIP, "
                + "CLIP (OpenAI's or Hugging Face's), DINOv2 (its authors' or Hugging Face's) or torchvision's ResNets, "
                + $"got {source.Entries.Count} names such as "
                + $"{string.Join(", ", source.Entries.Keys.Order(StringComparer.Ordinal).Take(3).Select(name => $"'{name}'"))}.");

    /// <summary>The names of the authors' trained half, which is no backbone.</summary>
    private static bool IsGraphPrompt(ITensorSource source)
        => source.Entries.ContainsKey("image_decoder.fc.0.weight")
            && source.Entries.Keys.Any(name => name.StartsWith("aGNN.", StringComparison.Ordinal));
}
