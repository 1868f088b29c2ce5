using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <summary>Sizes of a residual network (He et al. 2016), as far up as it is used.</summary>
internal sealed record ResidualNetworkConfig
{
    // Pixels a cell of the first stage; each further one halves the map.
    private const int FirstStride = 4;

    private const int MostStages = 4;
    private const double MostLook = 32;
    private const int WidestEmbedding = 16384;

    private static readonly JsonSerializerOptions Json = new()
    {
        MaxDepth = 8, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true
    };

    /// <summary>Channels after the first convolution.</summary>
    public int StemWidth { get; init; } = 64;

    /// <summary>Channels after each stage that is used.</summary>
    public IReadOnlyList<int> StageWidths { get; init; } = [64, 128, 256];

    /// <summary>Residual blocks of each.</summary>
    public IReadOnlyList<int> StageBlocks { get; init; } = [2, 2, 2];

    /// <summary>Channels between the 1 × 1 convolutions of a block, stage by stage; empty: blocks are two 3 × 3 convolutions.</summary>
    public IReadOnlyList<int> MiddleWidths { get; init; } = [];

    /// <summary>Stages that are tapped, counted from 1.</summary>
    public IReadOnlyList<int> Taps { get; init; } = [1, 2, 3];

    /// <summary>Pixels a cell of every tap: finer maps are averaged down to it, coarser ones interpolated up.</summary>
    public int Step { get; init; } = 8;

    /// <summary>Pixels a cell of what a graph prompt sees; 0: it sees the taps as they are.</summary>
    public int PromptStep { get; init; }

    /// <summary>
    /// Width of the image embedding, which two layers make of the last stage's mean and maximum; 0: the last stage's mean is the embedding.
    /// </summary>
    public int EmbeddingWidth { get; init; }

    /// <summary>Width between the two layers.</summary>
    public int EmbeddingHidden { get; init; }

    /// <summary>
    /// Pixels by which each stage's cells look further down than their strides alone say; empty: none.
    /// Learnt kernels do not look straight ahead.
    /// </summary>
    public IReadOnlyList<double> LooksDown { get; init; } = [];

    /// <summary>The same to the right.</summary>
    public IReadOnlyList<double> LooksRight { get; init; } = [];

    public int ImageSize { get; init; } = 224;

    /// <summary>Per-channel mean (R, G, B) subtracted from pixels in 0..1.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0.485f, 0.456f, 0.406f];

    /// <summary>Per-channel deviation (R, G, B) the difference is divided by.</summary>
    public IReadOnlyList<float> Std { get; init; } = [0.229f, 0.224f, 0.225f];

    /// <summary>Pixels a cell of a stage, counted from 1.</summary>
    public static int StrideOf(int stage) => FirstStride << (stage - 1);

    /// <exception cref="ArgumentException">Names every invalid value.</exception>
    public void Validate() => new OptionFaults()
        .Require(StemWidth is >= 1 and <= 4096, nameof(StemWidth), "1 to 4096", StemWidth)
        .Require(StageWidths.Count is >= 1 and <= MostStages && StageWidths.All(width => width is >= 1 and <= 16384), nameof(StageWidths),
            "one to four widths of 1 to 16384", string.Join(",", StageWidths))
        .Require(StageBlocks.Count == StageWidths.Count && StageBlocks.All(count => count is >= 1 and <= 256), nameof(StageBlocks),
            "for each stage 1 to 256", string.Join(",", StageBlocks))
        .Require(MiddleWidths.Count == 0
            || (MiddleWidths.Count == StageWidths.Count && MiddleWidths.All(width => width is >= 1 and <= 16384)),
            nameof(MiddleWidths), "none, or for each stage 1 to 16384", string.Join(",", MiddleWidths))
        .Require(Taps.Count >= 1 && Taps[0] >= 1 && Taps[^1] <= StageWidths.Count
            && Taps.Zip(Taps.Skip(1)).All(pair => pair.First < pair.Second),
            nameof(Taps), $"stages, ascending from 1 to {StageWidths.Count}", string.Join(",", Taps))
        .Require(AreLooks(LooksDown), nameof(LooksDown), $"none, or for each stage at most {MostLook}", string.Join(",", LooksDown))
        .Require(AreLooks(LooksRight), nameof(LooksRight), $"none, or for each stage at most {MostLook}", string.Join(",", LooksRight))
        .Require(Step is 4 or 8 or 16 or 32, nameof(Step), "4, 8, 16 or 32", Step)
        .Require(PromptStep is 0 or 4 or 8 or 16 or 32, nameof(PromptStep), "0, 4, 8, 16 or 32", PromptStep)
        .Require(EmbeddingWidth is >= 0 and <= WidestEmbedding, nameof(EmbeddingWidth), $"0 to {WidestEmbedding}", EmbeddingWidth)
        .Require(EmbeddingWidth == 0 ? EmbeddingHidden == 0 : EmbeddingHidden is >= 1 and <= WidestEmbedding,
            nameof(EmbeddingHidden), EmbeddingWidth == 0 ? "0 without an embedding" : $"1 to {WidestEmbedding}", EmbeddingHidden)
        .Require(ImageSize is >= 32 and <= 4096 && Step >= 1 && ImageSize % Step == 0, nameof(ImageSize),
            $"a multiple of {Step}, 32 to 4096", ImageSize)
        .Require(Mean.Count == 3 && Mean.All(float.IsFinite), nameof(Mean), "three numbers", string.Join(",", Mean))
        .Require(Std.Count == 3 && Std.All(value => float.IsFinite(value) && value > 0), nameof(Std), "three positive numbers",
            string.Join(",", Std))
        .ThrowIfAny(nameof(ResidualNetworkConfig));

    private bool AreLooks(IReadOnlyList<double> looks)
        => looks.Count == 0 || (looks.Count == StageWidths.Count && looks.All(look => Math.Abs(look) <= MostLook));

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static ResidualNetworkConfig Parse(string json)
    {
        var config = JsonSerializer.Deserialize<ResidualNetworkConfig>(json, Json) ?? throw new JsonException("null");
        config.Validate();
        return config;
    }
}
