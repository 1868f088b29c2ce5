namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Where an evaluation's images and masks come from. Package Microsoft.ML.KagPrompt.Imaging has <c>EvaluationFiles</c>, which reads files;
/// tests may hold theirs in memory.
/// </summary>
/// <remarks>
/// Called from one thread, the evaluation's. An image is asked for again in every cell that scores it: hold none that can be read again.
/// </remarks>
public interface IEvaluationImages
{
    /// <summary>
    /// Sees, as cheaply as can be, that an image and its mask can be used: every one is asked for before anything is computed.
    /// </summary>
    /// <exception cref="ImageReadException">It cannot; says which and why.</exception>
    void Check(DatasetImage image);

    /// <summary>An image's pixels, of any size.</summary>
    /// <exception cref="ImageReadException">It cannot be read.</exception>
    PixelBuffer Read(DatasetImage image);

    /// <summary>
    /// An image's ground truth where images are brought to side × side: true where defective, row by row. Empty: it has none.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="side">S in pixels.</param>
    /// <param name="mode">How images are brought there.</param>
    /// <exception cref="ImageReadException">It cannot be read.</exception>
    bool[] ReadMask(DatasetImage image, int side, ResizeMode mode);
}
