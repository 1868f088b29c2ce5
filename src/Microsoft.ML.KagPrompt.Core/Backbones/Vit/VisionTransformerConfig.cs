using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>Sizes of a vision transformer.</summary>
internal sealed record VisionTransformerConfig
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter() }, MaxDepth = 8, RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true
    };

    /// <summary>What CLIP and ImageBind subtract from pixels and divide by.</summary>
    internal static readonly IReadOnlyList<float> ClipMean = [0.48145466f, 0.4578275f, 0.40821073f];
    internal static readonly IReadOnlyList<float> ClipStd = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>The same of ImageNet, for DINOv2.</summary>
    internal static readonly IReadOnlyList<float> ImageNetMean = [0.485f, 0.456f, 0.406f];
    internal static readonly IReadOnlyList<float> ImageNetStd = [0.229f, 0.224f, 0.225f];

    public required int Width { get; init; }

    public required int Depth { get; init; }

    public required int Heads { get; init; }

    public required int MlpWidth { get; init; }

    public required int PatchSize { get; init; }

    /// <summary>Image side the positions were learned at.</summary>
    public required int ImageSize { get; init; }

    public required int JointWidth { get; init; }

    public Activation Activation { get; init; } = Activation.Gelu;

    public double Epsilon { get; init; } = 1e-6;

    /// <summary>A LayerNorm before the first block.</summary>
    public bool NormBeforeTrunk { get; init; } = true;

    /// <summary>A bias in the patch stem.</summary>
    public bool StemBias { get; init; }

    /// <summary>Both additions of a block are scaled per channel.</summary>
    public bool LayerScale { get; init; }

    /// <summary>Tokens without a place between the class token and the patches.</summary>
    public int Registers { get; init; }

    /// <summary>A projection of the class token into the joint space; without one its width is the joint width.</summary>
    public bool Head { get; init; } = true;

    public PositionResampling Resampling { get; init; } = PositionResampling.Bicubic;

    /// <summary>Tapped blocks, counted from 0; empty: every quarter of the depth, or all of fewer than four.</summary>
    public IReadOnlyList<int> Taps { get; init; } = [];

    public IReadOnlyList<float> Mean { get; init; } = ClipMean;

    public IReadOnlyList<float> Std { get; init; } = ClipStd;

    [JsonIgnore]
    public IReadOnlyList<int> TappedBlocks => Taps.Count > 0 ? Taps : Depth < 4 ? [.. Enumerable.Range(0, Math.Max(0, Depth))]
        : [.. Enumerable.Range(1, 4).Select(quarter => (Depth * quarter / 4) - 1)];

    [JsonIgnore]
    public TransformerBlocks Blocks => new(Width, MlpWidth, Heads, Epsilon, Activation, Causal: false) { LayerScale = LayerScale };

    /// <exception cref="ArgumentException">Names every invalid value.</exception>
    public void Validate()
    {
        var faults = new OptionFaults()
            .Require(Width is >= 1 and <= 1 << 14, nameof(Width), "1 to 16384", Width)
            .Require(Depth is >= 1 and <= 512, nameof(Depth), "1 to 512", Depth)
            .Require(Heads >= 1 && Width % Heads == 0, nameof(Heads), $"a divisor of the width {Width}", Heads)
            .Require(MlpWidth is >= 1 and <= 1 << 16, nameof(MlpWidth), "1 to 65536", MlpWidth)
            .Require(PatchSize is >= 1 and <= 256, nameof(PatchSize), "1 to 256", PatchSize)
            .Require(ImageSize is >= 1 and <= 4096 && PatchSize >= 1 && ImageSize % PatchSize == 0, nameof(ImageSize),
                $"a multiple of the patch size {PatchSize}, at most 4096", ImageSize)
            .Require(Registers is >= 0 and <= 64, nameof(Registers), "0 to 64", Registers)
            .Require(Head || JointWidth == Width, nameof(JointWidth), $"the width {Width} where there is no head", JointWidth)
            .Require(JointWidth is >= 1 and <= 1 << 14, nameof(JointWidth), "1 to 16384", JointWidth)
            .Require(Epsilon is > 0 and < 1, nameof(Epsilon), "a small positive number", Epsilon)
            .Require(Enum.IsDefined(Activation), nameof(Activation), "a defined one", Activation)
            .Require(Enum.IsDefined(Resampling), nameof(Resampling), "a defined one", Resampling)
            .Require(Mean.Count == 3 && Mean.All(float.IsFinite) && Std.Count == 3 && Std.All(value => value > 0 && float.IsFinite(value)),
                nameof(Std), "three means and three positive deviations", Std.Count)
            .Require(TappedBlocks.Count is >= 1 and <= 16 && TappedBlocks.All(tap => tap >= 0 && tap < Depth), nameof(Taps),
                $"blocks 0 to {Depth - 1}", string.Join(",", TappedBlocks));
        faults.ThrowIfAny(nameof(VisionTransformerConfig));
    }

    /// <summary>With other taps, counted from 1; null: as it is.</summary>
    /// <exception cref="ArgumentException">There are no such blocks.</exception>
    public VisionTransformerConfig Tapped(IReadOnlyList<int>? taps) => taps is null ? this
        : taps.All(tap => tap >= 1 && tap <= Depth) ? this with { Taps = [.. taps.Select(tap => tap - 1)] }
        : throw new ArgumentException($"Taps: expected blocks of 1 to {Depth}, got {string.Join(", ", taps)}.");

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static VisionTransformerConfig Parse(string json)
        => JsonSerializer.Deserialize<VisionTransformerConfig>(json, Json) ?? throw new JsonException("null");
}
