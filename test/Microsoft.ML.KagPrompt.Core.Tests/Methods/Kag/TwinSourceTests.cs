using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Which images are paired with which twins. A picture has its pattern in channels of its own: blending carries patterns over, and plain channels stay plain.</summary>
public class TwinSourceTests
{
    private const int Side = 64;
    private const byte Ground = 128;
    // Patches large enough that none is skipped.
    private static readonly SynthesisOptions Large = new() { MinHeight = 0.2, MinWidth = 0.2, MinScale = 1, MaxScale = 1 };

    private const int Red = 0, Green = 1, Blue = 2;

    [Fact]
    public void Batches_TwoImagesOfAClass_CutPatchesFromTheOther()
    {
        ProductImage[] images = [Patterned("a", Red), Patterned("a", Green)];
        foreach (var (normal, twin) in Pairs(images))
        {
            var (own, other) = ReferenceEquals(normal, images[0]) ? (Red, Green) : (Green, Red);
            IsPlain(normal.Square, own).Should().BeFalse();
            IsPlain(twin.Image, other).Should().BeFalse("the patch comes from the other image");
            IsPlain(twin.Image, Blue).Should().BeTrue();
        }
    }

    [Fact]
    public void Batches_ImagesWithARegion_HaveDefectsWithinItAlone()
    {
        var inside = Enumerable.Range(0, Side * Side).Select(p => p % Side < 20 && p / Side < 20).ToArray();
        var region = new SquareRegion(Side, inside, [9, 9, 9]);
        ProductImage[] images = [.. new[] { Patterned("a", Red), Patterned("a", Green) }.Select(image => new ProductImage(region.Cut(image.Square), "a", "", region))];
        var twins = Pairs(images).Select(pair => pair.Twin).ToArray();
        // A tenth of the picture: patches that went anywhere would rarely meet it.
        twins.Count(twin => twin.HasDefect).Should().BeGreaterThan(9);
        foreach (var twin in twins)
        {
            twin.HasDefect.Should().Be(twin.Mask.Contains(true));
            twin.Mask.Where((mark, p) => mark && !inside[p]).Should().BeEmpty();
            twin.Image.Rgb.Where((value, i) => !inside[i / 3] && value != 9).Should().BeEmpty();
        }
    }

    [Fact]
    public void Batches_TwoClasses_StayInTheClass()
    {
        ProductImage[] images = [Patterned("a", Red), Patterned("b", Blue, 1), Patterned("a", Green), Patterned("b", Blue, 2)];
        foreach (var (normal, twin) in Pairs(images))
        {
            IsPlain(twin.Image, Blue).Should().Be(normal.ClassName == "a");
            IsPlain(twin.Image, Green).Should().Be(normal.ClassName == "b");
            IsPlain(twin.Image, Red).Should().Be(normal.ClassName == "b");
        }
    }

    [Fact]
    public void Batches_OneImageOfAClass_CutPatchesFromAnotherClass()
    {
        foreach (var (normal, twin) in Pairs([Patterned("a", Red), Patterned("b", Green)]))
        {
            IsPlain(twin.Image, normal.ClassName == "a" ? Green : Red).Should().BeFalse();
        }
    }

    [Fact]
    public void Batches_ASingleImage_CutPatchesFromItself()
    {
        var pairs = Pairs([Patterned("a", Red)]);
        pairs.Should().Contain(pair => pair.Twin.HasDefect).And.AllSatisfy(pair => IsPlain(pair.Twin.Image, Green).Should().BeTrue());
    }

    [Fact]
    public void Batches_ManyEpochs_ShowEveryImageAsOftenAsEveryOther()
    {
        var images = Enumerable.Range(0, 3).Select(i => Patterned("a", i)).ToArray();
        var batches = Batches(images, batchSize: 4, pairs: 9, epochs: 3);
        batches.Select(batch => batch.Epoch).Should().Equal(1, 1, 1, 2, 2, 2, 3, 3, 3);
        batches.Select(batch => batch.Normal.Length).Should().Equal(4, 4, 1, 4, 4, 1, 4, 4, 1);
        images.Should().AllSatisfy(image => batches.SelectMany(batch => batch.Normal).Count(shown => ReferenceEquals(shown, image)).Should().Be(9));
        batches.Should().AllSatisfy(batch => batch.Twins.Should().HaveSameCount(batch.Normal));
    }

    [Fact]
    public void Batches_EveryTwin_IsItsImageOutsideTheDefectAndLabelledByItsMask()
    {
        var images = Enumerable.Range(0, 3).Select(i => Patterned("a", i)).ToArray();
        foreach (var (normal, twin) in Pairs(images))
        {
            twin.HasDefect.Should().Be(twin.Mask.Contains(true));
            var changed = Enumerable.Range(0, Side * Side).Where(i => Enumerable.Range(3 * i, 3).Any(b => twin.Image.Rgb[b] != normal.Square.Rgb[b])).ToHashSet();
            changed.Count.Should().BeInRange(50, Side * Side * 2 / 3);
            Enumerable.Range(0, Side * Side).Where(i => twin.Mask[i]).Should().OnlyContain(i => changed.Contains(i) || HasNear(changed, i));
        }
    }

    [Fact]
    public void Batches_SameSeed_AreTheSameAndAnotherSeedsDiffer()
    {
        var images = Enumerable.Range(0, 3).Select(i => Patterned("a", i)).ToArray();
        byte[] Bytes(int seed) => [.. Pairs(images, seed).SelectMany(pair => pair.Normal.Square.Rgb.Concat(pair.Twin.Image.Rgb))];
        var first = Bytes(5);
        Bytes(5).Should().Equal(first);
        Bytes(6).Should().NotEqual(first);
    }

    [Fact]
    public void Batches_OnAnyNumberOfThreads_HoldForEveryTwinWhatItsOwnStreamDraws()
    {
        ProductImage[] images = [.. Enumerable.Range(0, 5).Select(i => Patterned("a", i % 3, i))];
        var batches = Batches(images, batchSize: 7, pairs: 20, epochs: 2, seed: 3);
        var synthesizer = new NsaSynthesizer(Large);
        foreach (var (epoch, shown) in batches.GroupBy(batch => batch.Epoch).Select(group => (group.Key, group.ToArray())))
        {
            var pairs = shown.SelectMany(batch => batch.Normal.Zip(batch.Twins)).ToArray();
            for (var position = 0; position < pairs.Length; position++)
            {
                // One after the other: SplitMix64's finaliser over seed, epoch and position starts the stream, which draws the source first.
                var random = new Random(Stream(3, epoch, position));
                ProductImage source;
                do
                {
                    source = images[random.Next(images.Length)];
                }
                while (ReferenceEquals(source, pairs[position].First));
                var expected = synthesizer.Synthesize(pairs[position].First.Square, source.Square, random);
                pairs[position].Second.Image.Rgb.Should().Equal(expected.Image.Rgb);
                pairs[position].Second.Mask.Should().Equal(expected.Mask);
            }
        }
    }

    [Fact]
    public void Batches_TwinsThatCannotBeMade_ThrowWhatTheFirstOfThemThrew()
    {
        // Patches of another size are refused; which image is refused first does not depend on timing.
        ProductImage[] images = [.. Enumerable.Range(0, 12).Select(i => new ProductImage(TestImages.Noise(30 + i, Side, i), "a"))];
        string Message() => Record.Exception(() => Batches(images, batchSize: 12, pairs: 12, epochs: 1)).Should().BeOfType<ArgumentException>().Which.Message;
        var first = Message();
        for (var i = 0; i < 5; i++)
        {
            Message().Should().Be(first);
        }
    }

    [Fact]
    public void Batches_Cancelled_ThrowIt()
    {
        using var stop = new CancellationTokenSource();
        ProductImage[] images = [Patterned("a", Red), Patterned("a", Green)];
        using var source = new TwinSource(images, new Dictionary<string, SynthesisOptions>(), batchSize: 2, pairsPerEpoch: 2000, epochs: 1, seed: 1, stop.Token);
        using var batches = source.Batches().GetEnumerator();
        batches.MoveNext().Should().BeTrue();
        stop.Cancel();
        FluentActions.Invoking(() => { while (batches.MoveNext()) { } }).Should().Throw<OperationCanceledException>();
    }

    /// <summary>The mask is of smoothed changes: a few pixels of it may themselves be as they were.</summary>
    private static bool HasNear(HashSet<int> changed, int pixel)
        => Enumerable.Range(-5, 11).Any(dy => Enumerable.Range(-5, 11).Any(dx => changed.Contains(pixel + (dy * Side) + dx)));

    private static (ProductImage Normal, SyntheticImage Twin)[] Pairs(ProductImage[] images, int seed = 5)
        => [.. Batches(images, batchSize: 4, pairs: 12, epochs: 1, seed).SelectMany(batch => batch.Normal.Zip(batch.Twins))];

    private static TwinBatch[] Batches(ProductImage[] images, int batchSize, int pairs, int epochs, int seed = 5)
    {
        using var source = new TwinSource(images, new Dictionary<string, SynthesisOptions> { ["a"] = Large, ["b"] = Large }, batchSize, pairs, epochs, seed, CancellationToken.None);
        return [.. source.Batches()];
    }

    private static int Stream(int seed, int epoch, int position)
    {
        var x = unchecked(((ulong)(uint)seed << 32) + ((ulong)(uint)epoch * 0x9E3779B97F4A7C15) + ((ulong)(uint)position * 0xD1B54A32D192ED03));
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return (int)(x >> 33);
    }

    /// <summary>Noise in one channel, the others plain.</summary>
    private static ProductImage Patterned(string className, int channel, int seed = 0)
    {
        var random = new Random((10 * channel) + seed);
        var rgb = Enumerable.Repeat(Ground, Side * Side * 3).ToArray();
        for (var i = channel; i < rgb.Length; i += 3)
        {
            rgb[i] = (byte)random.Next(256);
        }

        return new ProductImage(new PixelBuffer(Side, Side, rgb), className);
    }

    /// <summary>Whether a channel has no pattern; blending cuts fractions off.</summary>
    private static bool IsPlain(PixelBuffer image, int channel) => Enumerable.Range(0, Side * Side).All(i => Math.Abs(image.Rgb[(3 * i) + channel] - Ground) <= 4);
}
