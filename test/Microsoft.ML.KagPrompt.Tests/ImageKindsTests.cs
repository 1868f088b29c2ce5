using System.Diagnostics;
using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;
using SkiaSharp;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Pixels as viewers show them, of every kind of file that is read; and nothing but our own error of any other.</summary>
public sealed class ImageKindsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-kinds-").FullName;

    /// <summary>3 x 2 pixels by their red: 1 2 3 / 4 5 6.</summary>
    private static readonly byte[] Stored = [.. Enumerable.Range(1, 6).SelectMany(k => new byte[] { (byte)k, 0, 0 })];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(128)]
    public void Read_AnyAlpha_GivesTheColoursBeneath(byte alpha)
    {
        ImageCodec.Read(ImageBytes.Png(2, 1, 8, 6, [10, 20, 30, alpha, 200, 100, 50, alpha]), "a PNG").Rgb.Should().Equal(10, 20, 30, 200, 100, 50);
        ImageCodec.Read(ImageBytes.Png(2, 1, 8, 4, [90, alpha, 7, alpha]), "a grey PNG").Rgb.Should().Equal(90, 90, 90, 7, 7, 7);
        ImageCodec.Read(ImageBytes.BitmapWithAlpha(2, 1, [30, 20, 10, alpha, 50, 100, 200, alpha]), "a bitmap").Rgb.Should().Equal(10, 20, 30, 200, 100, 50);
    }

    [Fact]
    public void Read_KeyOfGreyPng_StaysItsLevel()
        => ImageCodec.Read(ImageBytes.Png(2, 1, 8, 0, [150, 40], ("tRNS", [0, 150])), "a PNG").Rgb.Should().Equal(150, 150, 150, 40, 40, 40);

    [Fact]
    public void Read_SixteenBits_GivesTheHighByteAndSaysSo()
    {
        ImageCodec.Read(ImageBytes.Png(2, 1, 16, 0, [3, 255, 128, 0]), "a PNG", out var info).Rgb.Should().Equal(3, 3, 3, 128, 128, 128);
        info.BitsPerSample.Should().Be(16);
    }

    [Theory]
    [InlineData(1, 3, "123456")]
    [InlineData(2, 3, "321654")]
    [InlineData(3, 3, "654321")]
    [InlineData(4, 3, "456123")]
    [InlineData(5, 2, "142536")]
    [InlineData(6, 2, "415263")]
    [InlineData(7, 2, "635241")]
    [InlineData(8, 2, "362514")]
    [InlineData(9, 3, "123456")]
    public void Read_ExifOrientation_IsFollowedUnlessAskedOtherwise(int orientation, int width, string shown)
    {
        var file = ImageBytes.Png(3, 2, 8, 2, Stored, ("eXIf", ImageBytes.Exif(orientation)));
        var upright = ImageCodec.Read(file, "a PNG", out var info);
        (upright.Width, upright.Height).Should().Be((width, 6 / width)).And.Be(ImageCodec.SizeOf(info, ImageOrientation.Exif));
        string.Concat(Enumerable.Range(0, 6).Select(p => upright.Rgb[3 * p])).Should().Be(shown);
        ImageCodec.Read(file, "a PNG", orientation: ImageOrientation.AsStored).Rgb.Should().Equal(Stored);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(8)]
    public void Read_ExifOrientationOfJpeg_IsAsInPng(int orientation)
    {
        var jpeg = ImageCodec.EncodeJpeg(TestImages.Part(48, 32, 1), 95);
        var stored = ImageCodec.Read(jpeg, "a JPEG");
        var upright = ImageCodec.Read(ImageBytes.WithExif(jpeg, ImageBytes.Exif(orientation)), "a JPEG");
        upright.Rgb.Should().Equal(ImageCodec.Read(ImageBytes.Png(48, 32, 8, 2, stored.Rgb, ("eXIf", ImageBytes.Exif(orientation))), "a PNG").Rgb);
        upright.Rgb.Should().NotEqual(stored.Rgb);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_Gif_GivesItsFirstPictureAndSaysThatThereAreMore(bool seeThrough)
    {
        var file = ImageBytes.Gif(seeThrough);
        var before = file.ToArray();
        ImageCodec.Read(file, "a GIF", out var info).Rgb.Should().Equal(200, 0, 0, 0, 150, 0);
        info.Frames.Should().Be(2);
        file.Should().Equal(before, "what is given stays as it was");
    }

    [Fact]
    public void Read_WebP_GivesThePixels()
    {
        var picture = TestImages.Noise(20, 10, 1);
        using var bitmap = SKBitmap.Decode(SKData.CreateCopy(ImageCodec.EncodePng(picture)));
        using var lossless = bitmap.PeekPixels().Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 50));
        ImageCodec.Read(lossless.ToArray(), "a WebP", out var info).Rgb.Should().Equal(picture.Rgb);
        (info.Format, info.IsLossy).Should().Be(("WebP", false));
        using var lossy = bitmap.PeekPixels().Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossy, 80));
        ImageCodec.Check(lossy.ToArray(), "a WebP").IsLossy.Should().BeTrue();
    }

    [Fact]
    public void Read_JpegCutBehindItsThumbnail_IsRefused()
    {
        var thumbnail = ImageCodec.EncodeJpeg(TestImages.Part(24, 20, 1));
        var whole = ImageBytes.WithExif(ImageCodec.EncodeJpeg(TestImages.Part(96, 80, 1), 95), ImageBytes.Exif(1, thumbnail));
        ImageCodec.Check(whole, "The picture").Width.Should().Be(96);
        for (var share = 10; share < 100; share += 5)
        {
            var cut = whole[..(whole.Length * share / 100)];
            FluentActions.Invoking(() => ImageCodec.Read(cut, "The picture")).Should().Throw<ImageReadException>();
            FluentActions.Invoking(() => ImageCodec.Check(cut, "The picture")).Should().Throw<ImageReadException>("{0} percent are there", share);
        }
    }

    [Theory]
    [InlineData("II*\0\u0008\0\0\0", "*TIFF*Convert*")]
    [InlineData("MM\0*\0\0\0\u0008", "*TIFF*Convert*")]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0", "*HEIC*Convert*")]
    [InlineData("\0\0\0\u0018ftypavif\0\0\0\0", "*AVIF*Convert*")]
    [InlineData("P6\n2 2\n255\n", "*PPM*Convert*")]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg'/>", "*not an image*")]
    [InlineData("\0\u0005\u0016\u0007\0\u0002\0\0Mac OS X        ", "*not an image*")]
    public void Read_OtherKindsCalledPng_AreRefusedByTheirName(string content, string message)
    {
        File.WriteAllBytes(In("photo.png"), [.. Encoding.Latin1.GetBytes(content), .. new byte[200]]);
        FluentActions.Invoking(() => ImageCodec.Read(In("photo.png"))).Should().Throw<ImageReadException>().WithMessage("*photo.png*" + message[1..]);
        FluentActions.Invoking(() => DefectMask.Read(In("photo.png"))).Should().Throw<ImageReadException>().WithMessage("The mask*photo.png*" + message[1..]);
    }

    [Fact]
    public async Task Read_WhatIsNoOrdinaryFile_IsRefusedAtOnce()
    {
        FluentActions.Invoking(() => ImageCodec.Read(folder)).Should().Throw<ImageReadException>().WithMessage("*folder*");
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using (var make = Process.Start("mkfifo", In("pipe.png")))
        {
            await make.WaitForExitAsync();
        }

        File.CreateSymbolicLink(In("link.png"), In("pipe.png"));
        foreach (var path in (string[])[In("pipe.png"), In("link.png"), "/dev/zero", "/dev/null"])
        {
            // To open a pipe waits for its writer.
            var read = Task.Run(() => FluentActions.Invoking(() => ImageCodec.Read(path)).Should().Throw<ImageReadException>().WithMessage("*no ordinary file*"));
            await read.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    [Fact]
    public void Read_PictureOfNothing_IsRefusedBeforeItIsDecoded()
    {
        // 9,000 × 7,000 pixels, below the bound: a GIF of no data at all, and a PNG of one bit a pixel, whose rows are not there.
        var gif = ImageBytes.Gif(false);
        (gif[6], gif[7], gif[8], gif[9]) = (0x28, 0x23, 0x58, 0x1B);
        var descriptor = Array.LastIndexOf(gif, (byte)0x2C);
        (gif[descriptor + 5], gif[descriptor + 6], gif[descriptor + 7], gif[descriptor + 8]) = (0x28, 0x23, 0x58, 0x1B);
        foreach (var read in (Action[])[() => ImageCodec.Read(gif, "The GIF"), () => ImageCodec.Check(gif, "The GIF")])
        {
            read.Should().Throw<ImageReadException>().WithMessage("The GIF promises 9000 x 7000 pixels in *got a picture of nothing*");
        }
    }

    [Fact]
    public void Read_MoreThanTheBound_IsRefusedByDefaultAbove70Megapixels()
        => FluentActions.Invoking(() => ImageCodec.Read(ImageBytes.Png(10_000, 7001, 1, 0, new byte[1251]), "The PNG"))
            .Should().Throw<ImageReadException>().WithMessage("The PNG: expected an image of at most 70000000 pixels, got 10000 x 7001*");

    [Theory]
    [InlineData(48, 32)]
    [InlineData(33, 17)]
    public void Read_GreyPngAndJpeg_AreWhatTheCodecsDecodeAtOnce(int width, int height)
    {
        var picture = TestImages.Part(width, height, 3);
        var grey = picture.Rgb.Where((_, i) => i % 3 == 1).ToArray();
        ImageCodec.Read(ImageBytes.Png(width, height, 8, 0, grey), "a grey PNG").Rgb
            .Should().Equal(grey.SelectMany(value => new[] { value, value, value }));
        var jpeg = ImageCodec.EncodeJpeg(picture, 90);
        using var bitmap = SKBitmap.Decode(SKData.CreateCopy(jpeg));
        ImageCodec.Read(jpeg, "a JPEG").Rgb.Should().Equal(bitmap.Pixels.SelectMany(pixel => new[] { pixel.Red, pixel.Green, pixel.Blue }));
    }

    [Fact]
    public void Read_DamagedFiles_RaiseNothingButOurError()
    {
        var picture = TestImages.Part(40, 30, 1);
        using var bitmap = SKBitmap.Decode(SKData.CreateCopy(ImageCodec.EncodePng(picture)));
        using var webp = bitmap.PeekPixels().Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossy, 80));
        byte[] bmp = ImageBytes.BitmapWithAlpha(4, 4, new byte[64]), far = bmp.ToArray();
        far[12] = 0x7F;
        FluentActions.Invoking(() => ImageCodec.Read(far, "pixels far behind the end")).Should().Throw<ImageReadException>();
        var random = new Random(1);
        foreach (var whole in (byte[][])[ImageCodec.EncodePng(picture), ImageBytes.WithExif(ImageCodec.EncodeJpeg(picture), ImageBytes.Exif(6)), webp.ToArray(), ImageBytes.Gif(true), bmp,
            ImageBytes.Png(3, 2, 8, 2, Stored, ("eXIf", ImageBytes.Exif(6)))])
        {
            for (var i = 0; i < 200; i++)
            {
                var damaged = whole[..random.Next(1, whole.Length + 1)];
                for (var changes = random.Next(4); changes > 0; changes--)
                {
                    damaged[random.Next(Math.Min(damaged.Length, 200))] = (byte)random.Next(256);
                }

                try
                {
                    ImageCodec.Read(damaged, "damaged", maxPixels: 1_000_000);
                    ImageCodec.Check(damaged, "damaged", maxPixels: 1_000_000);
                }
                catch (ImageReadException)
                {
                    // As it should be; anything else ends the test.
                }
            }
        }
    }

    [Fact]
    public void Mask_JpegWhateverItIsCalled_IsCutAtHalf()
    {
        var marks = new PixelBuffer(40, 40, [.. Enumerable.Range(0, 40 * 40 * 3).Select(k => (byte)(k / 3 % 40 is >= 11 and < 22 ? 255 : 0))]);
        File.WriteAllBytes(In("a.jpg"), ImageCodec.EncodeJpeg(marks, 40));
        File.Copy(In("a.jpg"), In("b.png"));
        File.WriteAllBytes(In("c.png"), ImageCodec.EncodePng(marks));
        DefectMask.Read(In("b.png")).Pixels.Should().Equal(DefectMask.Read(In("a.jpg")).Pixels);
        DefectMask.Read(In("b.png")).Pixels.Zip(DefectMask.Read(In("c.png")).Pixels).Count(pair => pair.First != pair.Second).Should().BeLessThan(90, "but for the edges it is the same");
    }

    [Fact]
    public void Mask_OfAnotherSize_IsScaledWhereItsShapeFitsAndElseRefused()
    {
        File.WriteAllBytes(In("half.png"), ImageBytes.Png(3, 2, 8, 0, [0, 255, 0, 0, 0, 255]));
        var mask = DefectMask.Read(In("half.png"));
        mask.ScaledTo(6, 4, "m").Pixels.Select(mark => mark ? 1 : 0).Should().Equal(0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1);
        mask.ScaledTo(3, 2, "m").Should().BeSameAs(mask);
        FluentActions.Invoking(() => mask.ScaledTo(4, 6, "The mask")).Should().Throw<ImageReadException>().WithMessage("The mask*3 x 2*4 x 6*same shape*");
        File.WriteAllBytes(In("odd.png"), ImageBytes.Png(121, 100, 8, 0, new byte[12100]));
        DefectMask.Read(In("odd.png")).Fits(241, 200).Should().BeTrue("half of 241 is rounded");
        DefectMask.Read(In("odd.png")).Fits(230, 200).Should().BeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Mask_CutShort_IsRefused(bool jpeg)
    {
        var marks = TestImages.Noise(60, 50, 1);
        var whole = jpeg ? ImageCodec.EncodeJpeg(marks) : ImageCodec.EncodePng(marks);
        File.WriteAllBytes(In("half.png"), whole[..(whole.Length / 2)]);
        FluentActions.Invoking(() => DefectMask.Read(In("half.png"))).Should().Throw<ImageReadException>().WithMessage("*The mask*half.png*ends early*");
        File.WriteAllBytes(In("empty.png"), []);
        FluentActions.Invoking(() => DefectMask.Read(In("empty.png"))).Should().Throw<ImageReadException>().WithMessage("*The mask*empty.png*is empty*");
    }

    [Fact]
    public void ToPixels_ImageThatLoadImagesRead_IsAsTheCodecReadsIt()
    {
        File.WriteAllBytes(In("turned.jpg"), ImageBytes.WithExif(ImageCodec.EncodeJpeg(TestImages.Part(48, 32, 1), 95), ImageBytes.Exif(6)));
        File.WriteAllBytes(In("alpha.png"), ImageBytes.Png(2, 1, 8, 6, [10, 20, 30, 0, 200, 100, 50, 90]));
        File.WriteAllBytes(In("key.png"), ImageBytes.Png(2, 1, 8, 0, [150, 40], ("tRNS", [0, 150])));
        File.WriteAllBytes(In("moving.gif"), ImageBytes.Gif(true));
        foreach (var path in Directory.GetFiles(folder))
        {
            var ml = new MLContext();
            var loaded = ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(ml.Data.LoadFromEnumerable([new PartRow()])).Transform(ml.Data.LoadFromEnumerable([new PartRow { ImagePath = path }]));
            using var cursor = loaded.GetRowCursor(loaded.Schema);
            cursor.MoveNext().Should().BeTrue();
            MLImage? image = null;
            cursor.GetGetter<MLImage>(loaded.Schema["Image"])(ref image!);
            using var owned = image;
            foreach (var orientation in Enum.GetValues<ImageOrientation>())
            {
                var (pixels, expected) = (ImageAdapter.ToPixels(image, int.MaxValue, "Row 0", orientation), ImageCodec.Read(path, orientation: orientation));
                (pixels.Width, pixels.Height).Should().Be((expected.Width, expected.Height), path);
                pixels.Rgb.Should().Equal(expected.Rgb, path);
            }
        }
    }

    [Fact]
    public void ToPixels_ImageThatAPipelineChanged_IsTurnedAndStaysChanged()
    {
        File.WriteAllBytes(In("file.png"), ImageBytes.Png(3, 2, 8, 6, [.. Enumerable.Range(1, 6).SelectMany(k => new byte[] { (byte)k, 0, 0, 255 })], ("eXIf", ImageBytes.Exif(6))));
        using var smaller = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, [70, 0, 0, 255, 80, 0, 0, 255]);
        using var other = MLImage.CreateFromPixels(3, 2, MLPixelFormat.Rgba32, [.. Enumerable.Range(11, 6).SelectMany(k => new byte[] { (byte)k, 0, 0, 255 })]);
        (smaller.Tag, other.Tag) = (In("file.png"), In("file.png"));
        var pixels = ImageAdapter.ToPixels(smaller, 100, "Row 0", ImageOrientation.Exif);
        (pixels.Width, pixels.Height, pixels.Rgb[0], pixels.Rgb[3]).Should().Be((1, 2, 70, 80));
        ImageAdapter.ToPixels(other, 100, "Row 0", ImageOrientation.AsStored).Rgb[0].Should().Be(11);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string In(string name) => Path.Combine(folder, name);
}
