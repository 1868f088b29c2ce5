using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>Images as a model's input.</summary>
/// <remarks>The value points into memory that stays where it is until it is disposed.</remarks>
internal sealed class ImageTensor : IDisposable
{
    private ImageTensor(OrtValue value) => Value = value;

    public OrtValue Value { get; }

    /// <param name="images">Of one size, where the file resizes them.</param>
    /// <param name="info">Of the model.</param>
    /// <param name="resizing">What brings them to the model's size.</param>
    public static ImageTensor From(IReadOnlyList<PixelBuffer> images, OnnxModelInfo info, OnnxResizing resizing)
    {
        var side = info.ImageSize;
        if (info.IsFixedSize)
        {
            return new(OrtValue.CreateTensorValueFromMemory(Planes(images, info), [images.Count, 3, side, side]));
        }

        var (width, height) = resizing == OnnxResizing.InTheFile ? (images[0].Width, images[0].Height) : (side, side);
        var length = 3L * width * height;
        if (length * images.Count > Array.MaxLength)
        {
            throw new ArgumentException($"images: expected at most {Array.MaxLength} bytes of {images.Count} images together, "
                + $"got {length * images.Count}. Give fewer at a time.", nameof(images));
        }

        byte[] Pixels(int i) => (resizing == OnnxResizing.InTheFile ? images[i] : Square(images[i], info)).Rgb;
        // One image is read where it lies: the runtime writes to no input.
        var bytes = images.Count == 1 ? Pixels(0) : new byte[length * images.Count];
        for (var i = 0; i < images.Count && images.Count > 1; i++)
        {
            Pixels(i).CopyTo(bytes, i * length);
        }

        return new(OrtValue.CreateTensorValueFromMemory(bytes, [images.Count, height, width, 3]));
    }

    public void Dispose() => Value.Dispose();

    /// <summary>An image as the model that was exported brings it to S × S, bit for bit; the same object where it already fits.</summary>
    public static PixelBuffer Square(PixelBuffer image, OnnxModelInfo info)
    {
        var side = info.ImageSize;
        if (image.Width == side && image.Height == side)
        {
            return image;
        }

        var place = ResizeGeometry.Create(image.Width, image.Height, side, info.ResizeMode);
        return BicubicResampler.Resize(image, place.Width, place.Height, place.Left, place.Top, side, side);
    }

    /// <summary>Plane by plane, numbers 0 to 255.</summary>
    private static float[] Planes(IReadOnlyList<PixelBuffer> images, OnnxModelInfo info)
    {
        var plane = info.ImageSize * info.ImageSize;
        var values = new float[checked(images.Count * 3 * plane)];
        for (var i = 0; i < images.Count; i++)
        {
            var rgb = Square(images[i], info).Rgb;
            for (var c = 0; c < 3; c++)
            {
                var target = values.AsSpan(((i * 3) + c) * plane, plane);
                for (var p = 0; p < plane; p++)
                {
                    target[p] = rgb[(3 * p) + c];
                }
            }
        }

        return values;
    }
}
