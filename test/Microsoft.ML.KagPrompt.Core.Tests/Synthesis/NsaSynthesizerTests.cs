using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Synthesis;

public class NsaSynthesizerTests
{
    private static readonly PixelBuffer Destination = TestPictures.Noise(96, 80, seed: 1);
    private static readonly PixelBuffer Source = TestPictures.Noise(96, 80, seed: 2);

    [Fact]
    public void Synthesize_SameSeed_GivesTheSameImage()
    {
        var synthesizer = new NsaSynthesizer(new SynthesisOptions());

        var first = synthesizer.Synthesize(Destination, Source, new Random(3));
        var second = synthesizer.Synthesize(Destination, Source, new Random(3));
        var other = synthesizer.Synthesize(Destination, Source, new Random(4));

        second.Image.Rgb.Should().Equal(first.Image.Rgb);
        second.Label.Should().Equal(first.Label);
        other.Image.Rgb.Should().NotEqual(first.Image.Rgb);
    }

    [Fact]
    public void Synthesize_ManySeeds_LabelsOnlyWhatChanged()
    {
        var synthesizer = new NsaSynthesizer(new SynthesisOptions());
        var before = (byte[])Destination.Rgb.Clone();

        for (var seed = 0; seed < 40; seed++)
        {
            var result = synthesizer.Synthesize(Destination, Source, new Random(seed));

            Destination.Rgb.Should().Equal(before);
            result.HasDefect.Should().Be(result.Mask.Contains(true));
            for (var i = 0; i < result.Label.Length; i++)
            {
                result.Label[i].Should().BeInRange(0, 1);
                result.Mask[i].Should().Be(result.Label[i] > 0.3f);
                // The 5 × 5 median may close holes, but reaches no further than two pixels.
                if (result.Label[i] > 0)
                {
                    ChangesNear(result.Image, i % 96, i / 96, reach: 2).Should().BeTrue();
                }
            }
        }
    }

    [Fact]
    public void Synthesize_NothingVisible_RedrawsAndSaysSo()
    {
        var plain = TestPictures.Plain(64, 64, 90);

        var result = new NsaSynthesizer(new SynthesisOptions { MaxDraws = 4 }).Synthesize(plain, plain, new Random(1));

        result.HasDefect.Should().BeFalse();
        result.Draws.Should().Be(4);
        result.Label.Should().OnlyContain(value => value == 0);
    }

    [Fact]
    public void Synthesize_WithBackground_StaysOnTheObject()
    {
        var options = new SynthesisOptions { Background = 200, BackgroundThreshold = 30, MinOverlap = 0.99, MinObjectShare = 0.99, LogisticMidpoint = 3, LogisticSteepness = 1 };
        var (destination, source) = (OnBackground(seed: 5), OnBackground(seed: 6));
        var onObject = ObjectMask.Compute(destination, 200, 30);

        var drawn = 0;
        for (var seed = 0; seed < 20; seed++)
        {
            var result = new NsaSynthesizer(options).Synthesize(destination, source, new Random(seed));
            drawn += result.HasDefect ? 1 : 0;
            result.Mask.Where((set, i) => set && onObject[i] == 0).Count().Should().BeLessThanOrEqualTo(result.Mask.Count(set => set) / 10);
        }

        drawn.Should().BeGreaterThan(15);
    }

    [Fact]
    public void Synthesize_BackgroundHidesEverything_SkipsThePatches()
    {
        var options = new SynthesisOptions { Background = 90, MaxDraws = 2 };
        var plain = TestPictures.Plain(64, 64, 90);

        var result = new NsaSynthesizer(options).Synthesize(plain, plain, new Random(1));

        result.HasDefect.Should().BeFalse();
        result.Image.Rgb.Should().Equal(plain.Rgb);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 8)]
    [InlineData(3, 200)]
    public void Synthesize_TinyOrNarrowImages_DoesNotFail(int width, int height)
    {
        var (destination, source) = (TestPictures.Noise(width, height, seed: 1), TestPictures.Noise(width, height, seed: 2));

        for (var seed = 0; seed < 10; seed++)
        {
            new NsaSynthesizer(new SynthesisOptions { MaxHeight = 0.9, MaxWidth = 0.9 }).Synthesize(destination, source, new Random(seed)).Label.Should().HaveCount(width * height);
        }
    }

    [Fact]
    public void Synthesize_DifferentSizes_SaysBoth()
    {
        var act = () => new NsaSynthesizer(new SynthesisOptions()).Synthesize(Destination, TestPictures.Noise(80, 96, seed: 1), new Random(1));

        act.Should().Throw<ArgumentException>().WithMessage("*96 x 80*80 x 96*");
    }

    private static bool ChangesNear(PixelBuffer image, int x, int y, int reach)
    {
        for (var row = Math.Max(y - reach, 0); row <= Math.Min(y + reach, image.Height - 1); row++)
        {
            for (var column = Math.Max(x - reach, 0); column <= Math.Min(x + reach, image.Width - 1); column++)
            {
                var p = 3 * ((row * image.Width) + column);
                if (!image.Rgb.AsSpan(p, 3).SequenceEqual(Destination.Rgb.AsSpan(p, 3)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>A noisy dark square on a plain bright ground.</summary>
    private static PixelBuffer OnBackground(int seed)
    {
        var random = new Random(seed);
        var rgb = new byte[3 * 96 * 96];
        for (var i = 0; i < rgb.Length; i++)
        {
            var (x, y) = (i / 3 % 96, i / 3 / 96);
            rgb[i] = (byte)(x is > 20 and < 76 && y is > 20 and < 76 ? random.Next(100) : 200);
        }

        return new PixelBuffer(96, 96, rgb);
    }
}
