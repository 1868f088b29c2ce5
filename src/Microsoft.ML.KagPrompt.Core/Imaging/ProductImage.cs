namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>An image at S × S of a product. Compared by identity: two rows may hold the same picture and are still two images.</summary>
internal class ProductImage(PixelBuffer square, string className, string origin = "", SquareRegion? region = null)
{
    public PixelBuffer Square => square;

    public string ClassName => className;

    /// <summary>What to call it in messages: a file, or where it came in.</summary>
    public string Origin => origin;

    /// <summary>What of it is inspected; outside, the square shows nothing. Null: all.</summary>
    public SquareRegion? Region => region;
}
