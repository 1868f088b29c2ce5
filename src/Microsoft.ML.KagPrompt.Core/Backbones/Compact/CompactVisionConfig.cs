using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones.Compact;

/// <summary>Sizes of the compact vision tower.</summary>
internal sealed record CompactVisionConfig
{
    private static readonly JsonSerializerOptions Json = new()
    {
        MaxDepth = 8, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true
    };

    /// <summary>Width after the first convolution, at half the image's side.</summary>
    public int StemWidth { get; init; } = 32;

    /// <summary>Widths of the four stages; their strides are 4, 8, 16, 16.</summary>
    public IReadOnlyList<int> StageWidths { get; init; } = [48, 96, 144, 160];

    /// <summary>Residual blocks of each stage.</summary>
    public IReadOnlyList<int> StageBlocks { get; init; } = [2, 2, 3, 3];

    /// <summary>D_i of each stage's tap.</summary>
    public IReadOnlyList<int> TapWidths { get; init; } = [24, 32, 64, 96];

    /// <summary>C'.</summary>
    public int JointWidth { get; init; } = 128;

    /// <summary>Width between pooled features and embedding.</summary>
    public int EmbeddingHidden { get; init; } = 192;

    /// <summary>Pixels a patch of the grid the taps are brought to.</summary>
    public int PatchSize { get; init; } = 14;

    public int ImageSize { get; init; } = 224;

    /// <exception cref="ArgumentException">Names every invalid value.</exception>
    public void Validate() => new OptionFaults()
        .Require(StemWidth is >= 1 and <= 4096, nameof(StemWidth), "1 to 4096", StemWidth)
        .Require(StageWidths.Count == 4 && StageWidths.All(width => width is >= 1 and <= 4096), nameof(StageWidths),
            "four widths of 1 to 4096", string.Join(",", StageWidths))
        .Require(StageBlocks.Count == 4 && StageBlocks.All(count => count is >= 0 and <= 64), nameof(StageBlocks), "four counts of 0 to 64",
            string.Join(",", StageBlocks))
        .Require(TapWidths.Count == 4 && TapWidths.All(width => width is >= 1 and <= 4096), nameof(TapWidths), "four widths of 1 to 4096",
            string.Join(",", TapWidths))
        .Require(JointWidth is >= 1 and <= 4096, nameof(JointWidth), "1 to 4096", JointWidth)
        .Require(EmbeddingHidden is >= 1 and <= 4096, nameof(EmbeddingHidden), "1 to 4096", EmbeddingHidden)
        .Require(PatchSize is >= 1 and <= 256, nameof(PatchSize), "1 to 256", PatchSize)
        .Require(ImageSize is >= 32 and <= 4096 && PatchSize >= 1 && ImageSize % PatchSize == 0, nameof(ImageSize),
            $"a multiple of {PatchSize}, 32 to 4096", ImageSize)
        .ThrowIfAny(nameof(CompactVisionConfig));

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static CompactVisionConfig Parse(string json)
    {
        var config = JsonSerializer.Deserialize<CompactVisionConfig>(json, Json) ?? throw new JsonException("null");
        config.Validate();
        return config;
    }
}
