using System.CommandLine;
using Microsoft.ML.KagPrompt.Backbones;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>The words by which commands that fit are told which network sees the images, and how: one of each for a command.</summary>
internal static class NetworkOptions
{
    private static readonly KagPromptOptions Defaults = new();

    public static Option<string> Backbone() => new("--backbone")
    {
        Description = "resnet18 or compact, which are embedded, or a backbone's file or directory.",
        DefaultValueFactory = _ => Defaults.Backbone.Name,
    };

    public static Option<string?> MemoryBackbone() => new("--memory-backbone")
    {
        Description = "Another backbone for the memory bank alone.",
    };

    public static Option<GraphVariant> Variant() => new("--variant")
    {
        Description = "The paper's graph prompt or the one of the authors' code.",
        DefaultValueFactory = _ => Defaults.Prompt.Variant,
        CustomParser = Typed.Choice<GraphVariant>,
    };

    public static Option<Precision> Precision() => new("--precision")
    {
        Description = "What the backbone computes in.",
        DefaultValueFactory = _ => Defaults.Backbone.Precision,
        CustomParser = Typed.Choice<Precision>,
    };

    public static Option<int?> Size() => new("--size")
    {
        Description = "Side of the images in pixels; the backbone's own unless given.",
        CustomParser = Typed.WholeOrNone(),
    };

    public static Option<int> Tiles() => new("--tiles")
    {
        Description = $"Tiles a side, 1 to {ImageOptions.MostTiles}, through which small defects are seen; "
            + "auto: by the first picture's size.",
        DefaultValueFactory = _ => Defaults.Images.Tiles,
        CustomParser = result => result.Tokens is [{ Value: "auto" }]
            ? ImageOptions.AutoTiles : Typed.Whole(1, ImageOptions.MostTiles)(result),
    };
}
