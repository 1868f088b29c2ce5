using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Model zips of earlier versions, and zips that were damaged or made to harm.</summary>
public sealed class SavedModelTests
{
    private const string Options = "KagPrompt.options.json";
    private const string Tensors = "KagPrompt.safetensors";

    private readonly MLContext ml = new(seed: 1);

    /// <summary>Today's format, made from the small model of version 0.1.0.</summary>
    private static readonly Lazy<byte[]> Current = new(() =>
    {
        var ml = new MLContext(seed: 1);
        var model = ml.Model.Load(ModelZip.Version010, out var schema);
        using var owned = model as IDisposable;
        using var zip = new MemoryStream();
        ml.Model.Save(model, schema, zip);
        return zip.ToArray();
    });

    private sealed record Expected(string Image, string Product, float Score, bool Anomalous, float Probability, int MapValues, float MapMean, float MapLargest);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_ModelOfVersion010_ScoresAsItDidThere(bool savedAgain)
    {
        var expected = JsonSerializer.Deserialize<Expected[]>(File.ReadAllBytes(ModelZip.Fixture("model-0.1.0.json")), JsonSerializerOptions.Web)!;
        var scored = Load(savedAgain ? Current.Value : File.ReadAllBytes(ModelZip.Version010)).Transform(Rows([.. expected.Select(row => (row.Image, row.Product))]));
        scored.GetColumn<bool>("PredictedLabel").Should().Equal(expected.Select(row => row.Anomalous));
        scored.GetColumn<bool>("IsForeign").Should().OnlyContain(isForeign => !isForeign, "it knows no limit");
        var maps = scored.GetColumn<VBuffer<float>>("AnomalyMap").Select(map => map.DenseValues().ToArray()).ToArray();
        foreach (var (row, score, probability, map) in expected.Select((row, i) => (row, scored.GetColumn<float>("Anomaly").ElementAt(i), scored.GetColumn<float>("Probability").ElementAt(i), maps[i])))
        {
            score.Should().BeApproximately(row.Score, 1e-5f, row.ToString());
            probability.Should().BeApproximately(row.Probability, 1e-3f, row.ToString());
            map.Should().HaveCount(row.MapValues);
            map.Average().Should().BeApproximately(row.MapMean, 1e-5f, row.ToString());
            map.Max().Should().BeApproximately(row.MapLargest, 1e-5f, row.ToString());
        }
    }

    [Fact]
    public void Load_OptionsOfVersion010_AreAllKept()
    {
        var options = KagPromptTransformer.FindIn(Load(File.ReadAllBytes(ModelZip.Version010))).Options;
        (options.Columns.Score, options.Columns.ClassName, options.InferenceBatchSize, options.Fusion.Gamma, options.Fusion.TopK, options.Memory.MaxSupportImages).Should().Be(("Anomaly", "Product", 3, 0.3f, 12, 2));
        (options.Images.ResizeMode, options.Threshold.FalseRejectRate, options.Seed).Should().Be((ResizeMode.CropShortSide, 0.1f, 1));
        options.Prompt.Sentences["nut"].Abnormal.Should().Equal("a split {}");
    }

    [Fact]
    public void Load_AnyFlippedBit_IsRefusedOrChangesNothing()
    {
        var whole = Current.Value;
        var expected = Scores(Load(whole));
        var random = new Random(42);
        // Most of a zip are tensors: as many bits again from what surrounds them.
        var around = Enumerable.Range(0, whole.Length).Where(at => at < 3000 || at >= whole.Length - 3000).ToArray();
        var places = Enumerable.Range(0, 100).Select(_ => random.Next(whole.Length)).Concat(Enumerable.Range(0, 60).Select(_ => around[random.Next(around.Length)])).ToArray();
        var refused = 0;
        foreach (var place in places)
        {
            var damaged = (byte[])whole.Clone();
            var bit = random.Next(8);
            damaged[place] ^= (byte)(1 << bit);
            var fault = Try(() => Scores(Load(damaged)), out var scores);
            if (fault is null)
            {
                scores.Should().Equal(expected, $"bit {bit} of byte {place} was taken");
                continue;
            }

            refused++;
            IsOurs(fault).Should().BeTrue($"bit {bit} of byte {place}: {fault}");
        }

        refused.Should().BeGreaterThan(80, "most of a zip matters");
    }

    [Fact]
    public void Load_FlippedBitOfTheOptions_IsRefused()
    {
        var random = new Random(3);
        for (var i = 0; i < 20; i++)
        {
            Refused(ModelZip.With(Current.Value, Options, text => Flipped(text, random.Next(text.Length), random.Next(8)))).Should().Contain("options");
        }
    }

    /// <summary>The bit that makes a letter large or small: a name or a hash in other letters is another.</summary>
    [Fact]
    public void Load_LettersOfAnotherSize_AreRefused()
    {
        // Of the options, the version and the hash of the rest.
        for (var at = 0; at < 100; at++)
        {
            Refused(ModelZip.With(Current.Value, Options, text => Flipped(text, at, 5))).Should().NotBeEmpty($"byte {at}");
        }

        var random = new Random(7);
        for (var i = 0; i < 40; i++)
        {
            Refused(ModelZip.With(Current.Value, Tensors, bytes => Flipped(bytes, AnyLetter(random, bytes.AsSpan(8, (int)BitConverter.ToInt64(bytes))) + 8, 5)));
        }

        static int AnyLetter(Random random, ReadOnlySpan<byte> header)
        {
            while (true)
            {
                if (random.Next(header.Length) is var at && char.IsAsciiLetter((char)header[at]))
                {
                    return at;
                }
            }
        }
    }

    /// <summary>Weights, banks and header, each bit alike likely; the zip's own checksums are right again, so only ours can tell.</summary>
    [Fact]
    public void Load_FlippedBitOfThePayload_IsRefused()
    {
        var random = new Random(6);
        for (var i = 0; i < 100; i++)
        {
            Refused(ModelZip.With(Current.Value, Tensors, bytes => Flipped(bytes, random.Next(bytes.Length), random.Next(8)))).Should().NotBeEmpty();
        }
    }

    [Fact]
    public void Load_FlippedBitOfTheHeader_IsRefused()
    {
        var random = new Random(4);
        for (var i = 0; i < 20; i++)
        {
            // The header is some ten thousand bytes long: all of it counts.
            Refused(ModelZip.With(Current.Value, Tensors, bytes => Flipped(bytes, random.Next(8 + (int)BitConverter.ToInt64(bytes)), random.Next(8))));
        }
    }

    [Theory]
    [InlineData("\"gamma\":0.3", "\"gamma\":0.9")]
    [InlineData("\"version\":3", "\"version\":2")]
    public void Load_ChangedManifest_IsRefused(string from, string to)
        => Refused(ModelZip.With(Current.Value, Tensors, bytes => ModelZip.WithManifest(bytes, text => Replaced(text, from, to)))).Should().Contain("SHA-256");

    [Fact]
    public void Load_HashTakenAway_IsRefused()
        => Refused(ModelZip.With(Current.Value, Tensors, bytes => ModelZip.WithHeader(bytes, header => header["__metadata__"]!.AsObject().Remove("manifest.sha256")))).Should().Contain("hash");

    [Fact]
    public void Load_NewerVersion_SaysWhichPackageItNeeds()
        => Refused(ModelZip.With(File.ReadAllBytes(ModelZip.Version010), Tensors, bytes => ModelZip.WithManifest(bytes, text => Replaced(text, "\"version\":2", "\"version\":9,\"package\":\"4.2.0\""))))
            .Should().Contain("version 9").And.Contain("another version").And.Contain("package 4.2.0");

    [Theory]
    [InlineData("class.0.bank.0", float.NaN)]
    [InlineData("class.1.text", float.PositiveInfinity)]
    [InlineData("prompt.adapter.weight", float.NegativeInfinity)]
    public void Load_ValueThatIsNoNumber_NamesItsTensor(string tensor, float value)
        => Refused(ModelZip.With(File.ReadAllBytes(ModelZip.Version010), Tensors, bytes => ModelZip.WithValue(bytes, tensor, value))).Should().Contain(tensor.Replace("prompt.", "", StringComparison.Ordinal)).And.Contain("not numbers");

    [Fact]
    public void Load_EntryThatUnpacksToFarMore_IsRefused()
        => Refused(ModelZip.With(Current.Value, Tensors, _ => new byte[20 << 20])).Should().Contain("unpacks");

    [Fact]
    public void Load_MutatedOptions_LetOnlyOurErrorsEscape()
    {
        var random = new Random(5);
        foreach (var text in new[] { Persistence.OptionsJson.Write(new KagPromptOptions()), ModelZip.Entry(File.ReadAllBytes(ModelZip.Version010), Options) })
        {
            for (var i = 0; i < 1000; i++)
            {
                var mutated = Mutation.Changed(text, random);
                var fault = Try(() => Persistence.OptionsJson.Read(new MemoryStream(mutated)), out _);
                (fault is null or ModelFormatException).Should().BeTrue($"{System.Text.Encoding.UTF8.GetString(mutated)}: {fault}");
            }
        }
    }

    private static byte[] Flipped(byte[] bytes, int place, int bit)
    {
        bytes[place] ^= (byte)(1 << bit);
        return bytes;
    }

    private static string Replaced(string text, string from, string to)
    {
        text.Should().Contain(from);
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    private static Exception? Try<T>(Func<T> action, out T? result)
    {
        try
        {
            result = action();
            return null;
        }
        catch (Exception fault)
        {
            result = default;
            return fault;
        }
    }

    /// <summary>Ours, or ML.NET's own word for a file it cannot read; never a stumble.</summary>
    private static bool IsOurs(Exception fault)
    {
        var chain = Chain(fault).ToArray();
        return chain.Any(inner => inner is KagPromptException) || chain[^1] is FormatException or InvalidDataException or EndOfStreamException or InvalidOperationException || chain[^1].GetType() == typeof(ArgumentException);
    }

    private static IEnumerable<Exception> Chain(Exception? fault)
    {
        for (; fault is not null; fault = fault.InnerException)
        {
            yield return fault;
        }
    }

    /// <summary>The message of our error; anything else fails.</summary>
    private string Refused(byte[] zip)
    {
        var fault = Try(() => Load(zip), out _);
        return Chain(fault).OfType<ModelFormatException>().FirstOrDefault()?.Message ?? throw new InvalidOperationException($"expected a ModelFormatException, got {fault?.ToString() ?? "a model"}");
    }

    private ITransformer Load(byte[] zip)
    {
        using var stream = new MemoryStream(zip);
        return ml.Model.Load(stream, out _);
    }

    private float[] Scores(ITransformer model)
    {
        using var owned = model as IDisposable;
        KagPromptTransformer.FindIn(model);
        return [.. model.Transform(Rows([("model-defective.png", "nut")])).GetColumn<float>("Anomaly")];
    }

    private IDataView Rows(params (string Image, string Product)[] rows)
        => ml.Data.LoadFromEnumerable(rows.Select(row => new PartRow { ImagePath = ModelZip.Fixture(row.Image), Product = row.Product }).ToArray());
}
