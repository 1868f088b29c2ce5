using FluentAssertions;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>Checkpoints under each family's real names, random weights, against float64 loops. The names below were written down apart from the loader's.</summary>
public sealed class PublishedFamilyTests : IDisposable
{
    private const int Width = 24;
    private const int Heads = 3;
    private const int Depth = 4;
    private const int Mlp = 40;
    private const int Joint = 16;
    private const int Patch = 4;
    private const int Side = 5;
    private const int TextWidth = 18;
    private const int TextDepth = 2;
    private const int Vocabulary = 50;
    private const int Context = 9;

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly Dictionary<string, torch.Tensor> file = [];
    private readonly torch.Generator random = new(2024);

    public static TheoryData<string> Families => new(
        "imagebind", "openclip", "clip", "hf-clip", "dinov2", "dinov2-reg", "dinov2-swiglu", "hf-dinov2", "hf-dinov2-reg", "hf-dinov2-swiglu");

    [Theory]
    [MemberData(nameof(Families))]
    public void Vision_RandomCheckpoint_EqualsNaiveLoops(string family)
    {
        var naive = Write(family).Vision;
        var layout = Recognise(family);
        using var tower = new VisionTransformer(layout.Vision, WeightSet.Read(VisionTransformer.Shapes(layout.Vision), Mapped(layout.VisionRules)));
        foreach (var side in (int[])[Side, Side + 2, Side - 2])
        {
            var image = torch.randn([1, 3, side * Patch, side * Patch], generator: random);
            using var features = tower.Encode(image);
            var (blocks, embedding) = naive.Encode([.. image.data<float>().Select(value => (double)value)], side * Patch);
            features.PatchTokens.Should().HaveCount(4);
            for (var i = 0; i < Depth; i++)
            {
                features.PatchTokens[i].ShouldBeClose(torch.tensor(blocks[i].SelectMany(token => token).Select(value => (float)value).ToArray(), [1, side * side, Width]),
                    TensorAssertions.StageTolerance, $"{family}, side {side}, tap {i}");
            }

            features.ImageEmbedding.ShouldBeClose(torch.tensor(embedding.Select(value => (float)value).ToArray(), [1, embedding.Length]), TensorAssertions.StageTolerance, $"{family}, side {side}, embedding");
        }
    }

    [Theory]
    [InlineData("imagebind")]
    [InlineData("openclip")]
    [InlineData("clip")]
    [InlineData("hf-clip")]
    public void Text_RandomCheckpoint_EqualsNaiveLoops(string family)
    {
        var naive = Write(family).Text!;
        var layout = Recognise(family);
        using var tower = new TextTransformer(layout.Text!, WeightSet.Read(TextTransformer.Shapes(layout.Text!), Mapped(layout.TextRules)));
        long[] tokens = [48, 3, 17, 3, 9, 49, 0, 0, 0];
        var actual = tower.Encode(torch.tensor(tokens, [1, Context]));
        var expected = naive(tokens);
        actual.ShouldBeClose(torch.tensor(expected.Select(value => (float)value).ToArray(), [1, Joint]), TensorAssertions.StageTolerance * expected.Max(Math.Abs), family);
    }

    [Theory]
    [InlineData("imagebind", "ImageBind")]
    [InlineData("openclip", "OpenCLIP")]
    [InlineData("clip", "CLIP")]
    [InlineData("hf-clip", "CLIP")]
    [InlineData("dinov2-swiglu", "DINOv2")]
    [InlineData("hf-dinov2-reg", "DINOv2")]
    public void Recognise_ByNamesAlone_TellsTheFamily(string family, string expected)
    {
        Write(family);
        Recognise(family).Family.Should().Be(expected);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Recognise_NamesMissingUnexpectedAndMisshaped_ListsThemTogether(string family)
    {
        Write(family);
        var layout = Recognise(family);
        var victim = layout.VisionRules.Single(rule => rule.Name == "blocks.1.fc2.bias").Parts[0].Name;
        var misshaped = layout.VisionRules.Single(rule => rule.Name == "blocks.2.norm1.weight").Parts[0].Name;
        file[victim + "s"] = file[victim];
        file.Remove(victim);
        file[misshaped] = torch.zeros(Width + 1);

        var act = () => Recognise(family);

        act.Should().Throw<CheckpointMismatchException>().WithMessage($"*1 missing: {victim} (nearest there: {victim}s)*1 unexpected: {victim}s*1 of another shape: {misshaped}: expected [{Width}], got [{Width + 1}]*");
    }

    [Fact]
    public void Recognise_ClipOfSizesBothPublished_TakesTheHint()
    {
        Write("openclip");
        using var source = Source();
        KnownLayouts.Recognise(source, Hints("openclip") with { Activation = Activation.QuickGelu }).Family.Should().Be("CLIP");
    }

    [Fact]
    public void Recognise_UnknownNames_SaysWhatIsKnown()
    {
        file["conv1.weight"] = torch.zeros(3);
        var act = () => Recognise("none");
        act.Should().Throw<CheckpointMismatchException>().WithMessage("*ImageBind, OpenCLIP, CLIP*DINOv2*'conv1.weight'*");
    }

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private static LayoutHints Hints(string family) => new() { VisionHeads = Heads, TextHeads = family.Contains("dino", StringComparison.Ordinal) ? null : Heads };

    private BackboneLayout Recognise(string family)
    {
        using var source = Source();
        return KnownLayouts.Recognise(source, Hints(family));
    }

    private SafetensorsFile Source()
    {
        var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, file, new Dictionary<string, string>());
        stream.Position = 0;
        return SafetensorsFile.Read(stream, "checkpoint");
    }

    private MappedTensors Mapped(IEnumerable<WeightRule> rules) => new(Source(), rules);

    /// <summary>Adds a random tensor to the checkpoint and gives its values.</summary>
    private double[] New(string name, params long[] shape)
    {
        var tensor = torch.randn(shape, generator: random) * (shape.Length >= 2 ? 1 / Math.Sqrt(shape[^1]) : 0.4);
        file.Add(name, tensor);
        return [.. tensor.data<float>().Select(value => (double)value)];
    }

    private NaiveNorm Norm(string name, int width, double epsilon) => new(New($"{name}.weight", width), New($"{name}.bias", width), epsilon);

    private NaiveLinear Linear(string name, int rows, int columns) => new(New($"{name}.weight", rows, columns), New($"{name}.bias", rows));

    /// <summary>A joint projection of query, key and value, taken apart.</summary>
    private (NaiveLinear Query, NaiveLinear Key, NaiveLinear Value) Joined(string weightName, string biasName, int width)
    {
        var (weight, bias) = (New(weightName, 3 * width, width), New(biasName, 3 * width));
        NaiveLinear Third(int i) => new(weight[(i * width * width)..((i + 1) * width * width)], bias[(i * width)..((i + 1) * width)]);
        return (Third(0), Third(1), Third(2));
    }

    private static double[] Transposed(double[] matrix, int rows, int columns)
        => [.. Enumerable.Range(0, rows * columns).Select(k => matrix[((k % rows) * columns) + (k / rows)])];

    private (NaiveVision Vision, Func<long[], double[]>? Text) Write(string family) => family switch
    {
        "imagebind" => ImageBind(),
        "openclip" => Clip("gelu"),
        "clip" => Clip("quick"),
        "hf-clip" => HuggingFaceClip(),
        "dinov2" => (DinoV2(0, swiglu: false), null),
        "dinov2-reg" => (DinoV2(4, swiglu: false), null),
        "dinov2-swiglu" => (DinoV2(0, swiglu: true), null),
        "hf-dinov2" => (HuggingFaceDinoV2(0, swiglu: false), null),
        "hf-dinov2-reg" => (HuggingFaceDinoV2(4, swiglu: false), null),
        "hf-dinov2-swiglu" => (HuggingFaceDinoV2(0, swiglu: true), null),
        _ => throw new ArgumentOutOfRangeException(nameof(family)),
    };

    private (NaiveVision, Func<long[], double[]>) ImageBind()
    {
        NaiveBlock Block(string tower, int i, int width, bool causal)
        {
            var prefix = $"modality_trunks.{tower}.blocks.{i}";
            var (query, key, value) = Joined($"{prefix}.attn.in_proj_weight", $"{prefix}.attn.in_proj_bias", width);
            return new(Norm($"{prefix}.norm_1", width, 1e-6), query, key, value, Linear($"{prefix}.attn.out_proj", width, width),
                Norm($"{prefix}.norm_2", width, 1e-6), Linear($"{prefix}.mlp.fc1", Mlp, width), Linear($"{prefix}.mlp.fc2", width, Mlp)) { Heads = Heads, Activation = "gelu", Causal = causal };
        }

        var frames = New("modality_preprocessors.vision.rgbt_stem.proj.1.weight", Width, 3, 2, Patch, Patch);
        var area = Patch * Patch;
        var kernel = Enumerable.Range(0, Width * 3 * area).Select(k => frames[(k / area * 2 * area) + (k % area)] + frames[(k / area * 2 * area) + area + (k % area)]).ToArray();
        var vision = new NaiveVision(kernel, null, New("modality_preprocessors.vision.cls_token", 1, 1, Width),
            New("modality_preprocessors.vision.pos_embedding_helper.pos_embed", 1, 1 + (Side * Side), Width),
            [.. Enumerable.Range(0, Depth).Select(i => Block("vision", i, Width, false))], Norm("modality_heads.vision.0", Width, 1e-6))
        {
            Patch = Patch,
            NormBefore = Norm("modality_trunks.vision.pre_transformer_layer.0", Width, 1e-6),
            Head = new(New("modality_heads.vision.2.weight", Joint, Width), null),
        };
        New("modality_trunks.audio.blocks.0.norm_1.weight", 8);
        New("modality_preprocessors.depth.cls_token", 1, 1, 8);
        New("modality_heads.imu.0.weight", 8);
        New("modality_postprocessors.thermal.1.log_logit_scale");
        New("modality_preprocessors.text.mask", Context, Context);
        return (vision, Text("modality_preprocessors.text.token_embedding.weight", () => New("modality_preprocessors.text.pos_embed", 1, Context, TextWidth),
            i => Block("text", i, TextWidth, true), () => Norm("modality_heads.text.proj.0", TextWidth, 1e-6),
            () => new(New("modality_heads.text.proj.1.weight", Joint, TextWidth), null), "modality_postprocessors.text.1.log_logit_scale"));
    }

    private (NaiveVision, Func<long[], double[]>) Clip(string activation)
    {
        NaiveBlock Block(string tower, int i, int width, bool causal)
        {
            var prefix = $"{tower}transformer.resblocks.{i}";
            var (query, key, value) = Joined($"{prefix}.attn.in_proj_weight", $"{prefix}.attn.in_proj_bias", width);
            return new(Norm($"{prefix}.ln_1", width, 1e-5), query, key, value, Linear($"{prefix}.attn.out_proj", width, width),
                Norm($"{prefix}.ln_2", width, 1e-5), Linear($"{prefix}.mlp.c_fc", Mlp, width), Linear($"{prefix}.mlp.c_proj", width, Mlp)) { Heads = Heads, Activation = activation, Causal = causal };
        }

        var vision = new NaiveVision(New("visual.conv1.weight", Width, 3, Patch, Patch), null, New("visual.class_embedding", Width),
            New("visual.positional_embedding", 1 + (Side * Side), Width), [.. Enumerable.Range(0, Depth).Select(i => Block("visual.", i, Width, false))], Norm("visual.ln_post", Width, 1e-5))
        {
            Patch = Patch,
            NormBefore = Norm("visual.ln_pre", Width, 1e-5),
            Head = new(Transposed(New("visual.proj", Width, Joint), Width, Joint), null),
            Resampling = Antialiased,
        };
        if (activation == "quick")
        {
            New("input_resolution");
            New("context_length");
            New("vocab_size");
        }

        return (vision, Text("token_embedding.weight", () => New("positional_embedding", Context, TextWidth), i => Block("", i, TextWidth, true),
            () => Norm("ln_final", TextWidth, 1e-5), () => new(Transposed(New("text_projection", TextWidth, Joint), TextWidth, Joint), null), "logit_scale"));
    }

    private (NaiveVision, Func<long[], double[]>) HuggingFaceClip()
    {
        NaiveBlock Block(string tower, int i, int width, bool causal)
        {
            var prefix = $"{tower}.encoder.layers.{i}";
            return new(Norm($"{prefix}.layer_norm1", width, 1e-5), Linear($"{prefix}.self_attn.q_proj", width, width), Linear($"{prefix}.self_attn.k_proj", width, width),
                Linear($"{prefix}.self_attn.v_proj", width, width), Linear($"{prefix}.self_attn.out_proj", width, width), Norm($"{prefix}.layer_norm2", width, 1e-5),
                Linear($"{prefix}.mlp.fc1", Mlp, width), Linear($"{prefix}.mlp.fc2", width, Mlp)) { Heads = Heads, Activation = "quick", Causal = causal };
        }

        var vision = new NaiveVision(New("vision_model.embeddings.patch_embedding.weight", Width, 3, Patch, Patch), null, New("vision_model.embeddings.class_embedding", Width),
            New("vision_model.embeddings.position_embedding.weight", 1 + (Side * Side), Width),
            [.. Enumerable.Range(0, Depth).Select(i => Block("vision_model", i, Width, false))], Norm("vision_model.post_layernorm", Width, 1e-5))
        {
            Patch = Patch,
            NormBefore = Norm("vision_model.pre_layrnorm", Width, 1e-5),
            Head = new(New("visual_projection.weight", Joint, Width), null),
        };
        file.Add("vision_model.embeddings.position_ids", torch.arange(1 + (Side * Side)).unsqueeze(0));
        return (vision, Text("text_model.embeddings.token_embedding.weight", () => New("text_model.embeddings.position_embedding.weight", Context, TextWidth),
            i => Block("text_model", i, TextWidth, true), () => Norm("text_model.final_layer_norm", TextWidth, 1e-5),
            () => new(New("text_projection.weight", Joint, TextWidth), null), "logit_scale"));
    }

    private NaiveVision DinoV2(int registers, bool swiglu)
    {
        NaiveBlock Block(int i)
        {
            var prefix = $"blocks.{i}";
            var (query, key, value) = Joined($"{prefix}.attn.qkv.weight", $"{prefix}.attn.qkv.bias", Width);
            return new(Norm($"{prefix}.norm1", Width, 1e-6), query, key, value, Linear($"{prefix}.attn.proj", Width, Width), Norm($"{prefix}.norm2", Width, 1e-6),
                swiglu ? Linear($"{prefix}.mlp.w12", 2 * Mlp, Width) : Linear($"{prefix}.mlp.fc1", Mlp, Width),
                swiglu ? Linear($"{prefix}.mlp.w3", Width, Mlp) : Linear($"{prefix}.mlp.fc2", Width, Mlp))
            { Heads = Heads, Activation = swiglu ? "swiglu" : "gelu", Scale1 = New($"{prefix}.ls1.gamma", Width), Scale2 = New($"{prefix}.ls2.gamma", Width) };
        }

        New("mask_token", 1, Width);
        return new NaiveVision(New("patch_embed.proj.weight", Width, 3, Patch, Patch), New("patch_embed.proj.bias", Width), New("cls_token", 1, 1, Width),
            New("pos_embed", 1, 1 + (Side * Side), Width), [.. Enumerable.Range(0, Depth).Select(Block)], Norm("norm", Width, 1e-6))
        {
            Patch = Patch,
            Registers = registers == 0 ? [] : Rows(New("register_tokens", 1, registers, Width)),
            Resampling = registers == 0 ? Offset : Antialiased,
        };
    }

    private NaiveVision HuggingFaceDinoV2(int registers, bool swiglu)
    {
        NaiveBlock Block(int i)
        {
            var prefix = $"encoder.layer.{i}";
            return new(Norm($"{prefix}.norm1", Width, 1e-6), Linear($"{prefix}.attention.attention.query", Width, Width), Linear($"{prefix}.attention.attention.key", Width, Width),
                Linear($"{prefix}.attention.attention.value", Width, Width), Linear($"{prefix}.attention.output.dense", Width, Width), Norm($"{prefix}.norm2", Width, 1e-6),
                swiglu ? Linear($"{prefix}.mlp.weights_in", 2 * Mlp, Width) : Linear($"{prefix}.mlp.fc1", Mlp, Width),
                swiglu ? Linear($"{prefix}.mlp.weights_out", Width, Mlp) : Linear($"{prefix}.mlp.fc2", Width, Mlp))
            { Heads = Heads, Activation = swiglu ? "swiglu" : "gelu", Scale1 = New($"{prefix}.layer_scale1.lambda1", Width), Scale2 = New($"{prefix}.layer_scale2.lambda1", Width) };
        }

        New("embeddings.mask_token", 1, Width);
        return new NaiveVision(New("embeddings.patch_embeddings.projection.weight", Width, 3, Patch, Patch), New("embeddings.patch_embeddings.projection.bias", Width),
            New("embeddings.cls_token", 1, 1, Width), New("embeddings.position_embeddings", 1, 1 + (Side * Side), Width), [.. Enumerable.Range(0, Depth).Select(Block)], Norm("layernorm", Width, 1e-6))
        {
            Patch = Patch,
            Registers = registers == 0 ? [] : Rows(New("embeddings.register_tokens", 1, registers, Width)),
            Resampling = registers == 0 ? Offset : Antialiased,
        };
    }

    private Func<long[], double[]> Text(string tokenName, Func<double[]> newPositions, Func<int, NaiveBlock> newBlock, Func<NaiveNorm> newNorm, Func<NaiveLinear> newHead, string scaleName)
    {
        var (table, positions) = (New(tokenName, Vocabulary, TextWidth), newPositions());
        var blocks = Enumerable.Range(0, TextDepth).Select(newBlock).ToArray();
        var (norm, head, scale) = (newNorm(), newHead(), New(scaleName)[0]);
        return tokens =>
        {
            var state = tokens.Select((token, t) => Enumerable.Range(0, TextWidth).Select(c => table[(token * TextWidth) + c] + positions[(t * TextWidth) + c]).ToArray()).ToArray();
            foreach (var block in blocks)
            {
                state = block.Apply(state);
            }

            var end = Array.IndexOf(tokens, tokens.Max());
            return [.. NaiveVision.Unit(head.Apply(norm.Apply(state[end]))).Select(value => value * Math.Min(Math.Exp(scale), 100))];
        };
    }

    private static double[][] Rows(double[] values) => [.. values.Chunk(Width)];

    private static (double, double, double) Antialiased(int i, int fresh, int old) => (((i + 0.5) * old / fresh) - 0.5, -0.5, Math.Max(1.0, (double)old / fresh));

    private static (double, double, double) Offset(int i, int fresh, int old) => (((i + 0.5) / ((fresh + 0.1) / old)) - 0.5, -0.75, 1);
}
