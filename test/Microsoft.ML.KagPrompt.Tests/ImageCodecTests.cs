using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Image files read apart from ML.NET's loader, and files that end early.</summary>
public sealed class ImageCodecTests(PartFolder parts) : IClassFixture<PartFolder>
{
    [Fact]
    public void Read_EncodedPng_GivesThePixels()
    {
        var picture = TestImages.Noise(37, 21, 1);
        var again = ImageCodec.Read(ImageCodec.EncodePng(picture), "a picture");
        (again.Width, again.Height).Should().Be((37, 21));
        again.Rgb.Should().Equal(picture.Rgb);
        ImageCodec.Read(parts.Normal[0]).Rgb.Should().Equal(TestImages.Read(parts.Normal[0]).Rgb);
    }

    /// <param name="orientation">As EXIF numbers them; 6 is turned, from one picture to a second.</param>
    /// <param name="bytes">Of resident memory for each pixel, at most: seven are documented.</param>
    [SkippableTheory]
    [InlineData(1, 4)]
    [InlineData(6, 7)]
    public void Read_JpegOf24Megapixels_TakesFewBytesAPixel(int orientation, int bytes)
    {
        const int Width = 6000, Height = 4000;
        var file = LargeJpeg(Width, Height, orientation);
        ResidentMemory.Growth(() => ImageCodec.Read(file, "a picture")).Should().BeInRange(3L * Width * Height / 2, (long)bytes * Width * Height);
    }

    [Fact]
    public void EncodeJpeg_Quality_BoundsTheError()
    {
        var picture = TestImages.Part(64, 48, 3);
        double Error(int quality) => ImageCodec.Read(ImageCodec.EncodeJpeg(picture, quality), "a picture").Rgb.Zip(picture.Rgb, (a, b) => Math.Abs(a - b)).Average();
        Error(95).Should().BeLessThan(4);
        Error(95).Should().BeLessThan(Error(20));
        FluentActions.Invoking(() => Error(0)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_CutAnywhere_IsRefused(bool jpeg)
    {
        var whole = jpeg ? ImageCodec.EncodeJpeg(TestImages.Part(90, 80, 3)) : ImageCodec.EncodePng(TestImages.Part(90, 80, 3));
        for (var share = 0; share < 100; share++)
        {
            FluentActions.Invoking(() => ImageCodec.Read(whole[..(whole.Length * share / 100)], "The picture")).Should().Throw<ImageReadException>().WithMessage("The picture*");
        }

        ImageCodec.Read([.. whole, .. new byte[5000]], "with bytes behind it").Width.Should().Be(90);
    }

    [Theory]
    [InlineData(100, 160, 120)]
    [InlineData(120, 160, 120)]
    [InlineData(121, 320, 240)]
    [InlineData(241, 640, 480)]
    [InlineData(1, 80, 60)]
    public void ReadReduced_LargeJpeg_KeepsTheLeastSideAndTellsTheWhole(int leastSide, int width, int height)
    {
        var whole = TestImages.Part(640, 480, 3);
        var file = ImageBytes.WithExif(ImageCodec.EncodeJpeg(whole, 95), ImageBytes.Exif(6));
        var upright = ImageCodec.ReadReduced(file, "a picture", leastSide, out var info, 1_000_000, ImageOrientation.Exif);
        (upright.Width, upright.Height).Should().Be((height, width), "it is turned by a quarter");
        (info.Width, info.Height).Should().Be((640, 480));
        ImageCodec.SizeOf(info, ImageOrientation.Exif).Should().Be((480, 640));
        var stored = ImageCodec.ReadReduced(file, "a picture", leastSide, out _, 1_000_000, ImageOrientation.AsStored);
        var resized = BicubicResampler.Resize(whole, width, height, 0, 0, width, height);
        stored.Rgb.Zip(resized.Rgb, (a, b) => Math.Abs(a - b)).Average().Should().BeLessThan(5, "it shows the same in the same place");
        FluentActions.Invoking(() => ImageCodec.ReadReduced(file, "a picture", leastSide, out _, 300_000, ImageOrientation.Exif)).Should()
            .Throw<ImageReadException>().WithMessage("*at most 300000 pixels*640 x 480*");
        FluentActions.Invoking(() => ImageCodec.ReadReduced(file[..(file.Length / 2)], "a picture", leastSide, out _, 1_000_000, ImageOrientation.Exif))
            .Should().Throw<ImageReadException>("what is missing is not filled with grey");
    }

    [Fact]
    public void ReadReduced_OtherKinds_GivesTheWhole()
    {
        var picture = TestImages.Noise(64, 48, 1);
        ImageCodec.ReadReduced(ImageCodec.EncodePng(picture), "a picture", 1, out _, 1_000_000, ImageOrientation.Exif).Rgb.Should().Equal(picture.Rgb);
        FluentActions.Invoking(() => ImageCodec.ReadReduced([], "a picture", 0, out _, 1, ImageOrientation.Exif)).Should()
            .Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Read_WholeBitmap_GivesThePixels()
    {
        // 2 x 2, bottom row first, rows padded to 4 bytes: red, green / blue, white.
        byte[] bitmap = [(byte)'B', (byte)'M', 70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0, .. new byte[24], 255, 0, 0, 255, 255, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 0];
        ImageCodec.Read(bitmap, "a bitmap").Rgb.Should().Equal(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255);
        FluentActions.Invoking(() => ImageCodec.Read(bitmap[..60], "a bitmap")).Should().Throw<ImageReadException>();
    }

    [Fact]
    public void Read_TooLargeOrNoImage_SaysSo()
    {
        FluentActions.Invoking(() => ImageCodec.Read(parts.Normal[0], maxPixels: 100)).Should().Throw<ImageReadException>().WithMessage("*at most 100 pixels*");
        FluentActions.Invoking(() => ImageCodec.Read(parts.Path("absent.png"))).Should().Throw<ImageReadException>().WithMessage("*absent.png*");
        FluentActions.Invoking(() => ImageCodec.Read([1, 2, 3], "Three bytes")).Should().Throw<ImageReadException>().WithMessage("Three bytes is not an image*");
        FluentActions.Invoking(() => ImageCodec.Read([], "Nothing")).Should().Throw<ImageReadException>();
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.7)]
    [InlineData(0.995)]
    public void Transform_ImageCutShort_NamesTheRowAndFile(double share)
    {
        var ml = new MLContext(seed: 1);
        var cut = parts.Path($"cut{share}.png");
        var whole = File.ReadAllBytes(parts.Queries[0]);
        File.WriteAllBytes(cut, whole[..(int)(whole.Length * share)]);
        IDataView View(params string[] paths) => ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }));
        var pipeline = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = 0 } }));
        using var model = pipeline.Fit(View(parts.Normal));
        FluentActions.Invoking(() => model.Transform(View(parts.Queries[1], cut)).GetColumn<float>("Score").ToArray()).Should().Throw<ImageReadException>().WithMessage($"Row 1, column 'Image'*{Path.GetFileName(cut)}*ends early*");
        FluentActions.Invoking(() => pipeline.Fit(View([.. parts.Normal, cut]))).Should().Throw<ImageReadException>().WithMessage("Row 5*ends early*");
    }

    /// <summary>Made apart, so that the picture itself is gone when memory is measured.</summary>
    private static byte[] LargeJpeg(int width, int height, int orientation)
        => ImageBytes.WithExif(ImageCodec.EncodeJpeg(new PixelBuffer(width, height, new byte[3 * width * height])), ImageBytes.Exif(orientation));
}
