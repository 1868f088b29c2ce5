using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>Bringing photographs to S × S inside a file, held against the library's own (Pillow's).</summary>
public class OnnxSquaresTests
{
    private const int Side = 112;

    /// <summary>The fourth and fifth leave a crop to begin half way between two pixels, to be rounded down and up.</summary>
    [Theory]
    [InlineData(ResizeMode.Stretch, 300, 200)]
    [InlineData(ResizeMode.Stretch, 50, 40)]
    [InlineData(ResizeMode.CropShortSide, 640, 480)]
    [InlineData(ResizeMode.CropShortSide, 141, 100)]
    [InlineData(ResizeMode.CropShortSide, 100, 142)]
    [InlineData(ResizeMode.CropShortSide, 40, 333)]
    [InlineData(ResizeMode.CropShortSide, 112, 180)]
    public void Resized_OfAPhotograph_IsTheLibrarysButForSingleLevels(ResizeMode mode, int width, int height)
    {
        var image = TestImages.Part(width, height, 3);
        var (expected, got) = (Expected(image, mode), Resized(image, mode));
        expected.Zip(got).Max(pair => Math.Abs(pair.First - pair.Second)).Should().BeLessThanOrEqualTo(1);
        expected.Zip(got).Count(pair => pair.First != pair.Second).Should().BeLessThan(got.Length / 200);
    }

    [Theory]
    [InlineData(ResizeMode.Stretch)]
    [InlineData(ResizeMode.CropShortSide)]
    public void Resized_OfASquare_StaysAsItIs(ResizeMode mode)
    {
        var image = TestImages.Noise(Side, Side, 1);
        Resized(image, mode).Should().Equal(image.Rgb);
    }

    private static byte[] Expected(PixelBuffer image, ResizeMode mode) => new ImagePreprocessor(Side, mode, [0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]).Resize(image).Rgb;

    /// <summary>Pixel by pixel, as the library has them.</summary>
    private static byte[] Resized(PixelBuffer image, ResizeMode mode)
    {
        using var graph = new OnnxGraph();
        var squares = OnnxSquares.Resized(graph.Input("image", DataType.Uint8, "N", "H", "W", 3), Side, mode);
        graph.Output("square", squares.Permute(0, 2, 3, 1), DataType.Uint8, "N", Side, Side, 3);
        using var stream = new MemoryStream();
        OnnxFile.Write(stream, graph, new Dictionary<string, string>());
        using var session = new InferenceSession(stream.ToArray());
        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor("image", new DenseTensor<byte>(image.Rgb, [1, image.Height, image.Width, 3]))]);
        return [.. outputs.Single().AsEnumerable<byte>()];
    }
}
