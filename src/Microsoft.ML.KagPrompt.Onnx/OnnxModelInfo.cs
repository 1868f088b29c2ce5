using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>What an exported file says of the model it holds.</summary>
/// <remarks>Immutable.</remarks>
public sealed record OnnxModelInfo
{
    /// <summary>Version of the form in which exported files say these things.</summary>
    public required string Format { get; init; }

    /// <summary>The package that wrote it.</summary>
    public required string PackageVersion { get; init; }

    /// <summary>The method's name, as "kag" or "patchcore".</summary>
    public required string Method { get; init; }

    /// <summary>The class whose images it scores.</summary>
    public required string ClassName { get; init; }

    /// <summary>How its threshold came about, and what may be expected of it.</summary>
    public required ThresholdCalibration Calibration { get; init; }

    /// <summary>S in pixels: the side that images are brought to, and of the maps.</summary>
    public required int ImageSize { get; init; }

    /// <summary>How images are brought to S × S.</summary>
    public required ResizeMode ResizeMode { get; init; }

    /// <summary>Which way up photographs are read.</summary>
    public required ImageOrientation Orientation { get; init; }

    /// <summary>
    /// Whether it takes images that are S × S already, as numbers of 32 bit [N, 3, S, S]; false: images of any size, 8 bits a channel,
    /// [N, H, W, 3], which it resizes itself.
    /// </summary>
    public required bool IsFixedSize { get; init; }

    /// <summary>How weights are stored: "Float32" or "Float16".</summary>
    public required string Precision { get; init; }

    /// <summary>What is stored in 8 bit: "None", or "Memory", the patches of its memory bank.</summary>
    public string Quantization { get; init; } = "None";

    /// <summary>SHA-256 of the model it was exported from, as <c>KagPromptModel.Save</c> writes it, lower-case hexadecimal.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>
    /// Size of the images that the class's region was drawn for: others are refused unless they have its shape. Null: there is no region,
    /// or it fits images of any shape.
    /// </summary>
    public (int Width, int Height)? RegionSize { get; init; }

    /// <summary>Refuses images of another shape than the class's region.</summary>
    /// <param name="width">The image's columns, turned as it is inspected.</param>
    /// <param name="height">Its rows.</param>
    /// <param name="origin">What to call the image in messages.</param>
    /// <exception cref="ImageReadException">The image has another shape.</exception>
    public void RequireFit(int width, int height, string origin)
    {
        if (RegionSize is { } region)
        {
            new ImageShape(region.Width, region.Height).RequireFit(width, height, origin);
        }
    }

    /// <summary>Version of ONNX's operators.</summary>
    public required long Opset { get; init; }

    /// <summary>Length of the file and of what lies beside it.</summary>
    public required long ByteCount { get; init; }
}
