namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>An image at S × S of a product. Compared by identity: two rows may hold the same picture and are still two images.</summary>
internal class ProductImage(PixelBuffer square, string className)
{
    public PixelBuffer Square => square;

    public string ClassName => className;
}
