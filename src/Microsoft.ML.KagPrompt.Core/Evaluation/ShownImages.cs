using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>
/// The images that all methods are shown: labelled ones, a kind of defect after the other and a good one last; else photographs with
/// synthetic defects, those that were not fitted on first.
/// </summary>
internal sealed class ShownImages
{
    private const int LongestSide = 384;
    private const int FittedSynthesis = 8;

    private readonly List<(ComparedImage Shown, PixelBuffer Square)> all = [];

    /// <param name="model">Any of the compared ones: all see images in the same size.</param>
    /// <param name="products">What is compared on.</param>
    /// <param name="dataset">Where the images are from.</param>
    /// <param name="images">Their pixels.</param>
    /// <param name="most">How many there may be.</param>
    public ShownImages(
        KagPromptModel model, IReadOnlyList<ComparedProduct> products, FewShotDataset dataset, IEvaluationImages images, int most)
    {
        DatasetImage[] test = [.. products.SelectMany(product => product.Test)];
        if (test.Length > 0)
        {
            foreach (var image in Labelled(test, most))
            {
                var pixels = images.Read(image);
                var small = Small(pixels);
                var mask = image.IsAnomalous == true ? images.ReadMask(image, model.MapSize, model.Options.Images.ResizeMode) : [];
                bool[] truth = mask.Length == 0 ? [] : Scaled(model, mask, small);
                all.Add((
                    new(NameOf(image, dataset), image.ClassName, image.DefectType, small, truth),
                    model.Square(pixels, image.ClassName, $"'{image.Path}'")));
            }

            return;
        }

        foreach (var (image, product) in InTurn(products).Take(most))
        {
            AddSynthetic(model, image, product, dataset, images);
        }
    }

    public IReadOnlyList<ComparedImage> Images => [.. all.Select(image => image.Shown)];

    /// <summary>What a model makes of them, with maps at the size they are shown in.</summary>
    public IReadOnlyList<Inspection> InspectBy(KagPromptModel model)
        => [.. model.Inspect([.. all.Select(image => image.Square)], [.. all.Select(image => image.Shown.ClassName)])
            .Zip(all, (result, image) => result with
            {
                Map = model.MapToImage(result.Map, image.Shown.Image.Width, image.Shown.Image.Height),
                Width = image.Shown.Image.Width,
                Height = image.Shown.Image.Height,
            })];

    private static IEnumerable<DatasetImage> Labelled(DatasetImage[] test, int most)
    {
        var defective = test.Where(image => image.IsAnomalous == true).GroupBy(image => (image.ClassName, image.DefectType))
            .SelectMany(kind => kind.Select((image, place) => (image, place))).OrderBy(entry => entry.place).Select(entry => entry.image);
        var good = test.Where(image => image.IsAnomalous == false).Take(most > 1 ? 1 : 0).ToArray();
        return defective.Take(most - good.Length).Concat(good);
    }

    private static IEnumerable<(DatasetImage Image, ComparedProduct Product)> InTurn(IReadOnlyList<ComparedProduct> products)
        => products.SelectMany(product => product.Rest.Concat(product.Support).Select((image, place) => (image, place, product)))
            .OrderBy(entry => entry.place).Select(entry => (entry.image, entry.product));

    private void AddSynthetic(
        KagPromptModel model, DatasetImage image, ComparedProduct product, FewShotDataset dataset, IEvaluationImages images)
    {
        var region = model.Classes[product.ClassName].Reference.Value.Region?.Square;
        PixelBuffer[] normal = [.. product.Support.Take(FittedSynthesis)
            .Select(support => model.Square(images.Read(support), support.ClassName, $"'{support.Path}'"))];
        var synthesizer = new NsaSynthesizer(SynthesisOptions.For(product.ClassName, model.Options.Synthesis, normal, region));
        var square = model.Square(images.Read(image), image.ClassName, $"'{image.Path}'");
        var twin = synthesizer.Synthesize(square, normal[all.Count % normal.Length], new Random(all.Count), region);
        var small = Small(twin.Image);
        var truth = small == twin.Image ? twin.Mask : Scaled(model, twin.Mask, small);
        // Of a photograph that the memory holds, all but the defect is known to it.
        var origin = product.Support.Contains(image) ? "a photograph that was fitted on" : "a photograph that was not fitted on";
        all.Add((
            new(NameOf(image, dataset), image.ClassName, twin.HasDefect ? $"a synthetic defect on {origin}" : origin, small, truth),
            twin.Image));
    }

    /// <summary>A mask of the model's square at the size that a picture is shown in.</summary>
    private static bool[] Scaled(KagPromptModel model, bool[] mask, PixelBuffer shown)
        => [.. model.MapToImage(Array.ConvertAll(mask, isDefect => isDefect ? 1f : 0), shown.Width, shown.Height)
            .Select(value => value > 0.5f)];

    private static PixelBuffer Small(PixelBuffer image)
    {
        var shrink = Math.Min(1.0, (double)LongestSide / Math.Max(image.Width, image.Height));
        var (width, height) = (Math.Max(1, (int)Math.Round(shrink * image.Width)), Math.Max(1, (int)Math.Round(shrink * image.Height)));
        return (width, height) == (image.Width, image.Height) ? image
            : BicubicResampler.Resize(image, width, height, 0, 0, width, height);
    }

    private static string NameOf(DatasetImage image, FewShotDataset dataset)
        => (dataset.Folder is { } folder ? Path.GetRelativePath(folder, Path.GetFullPath(image.Path)) : image.Path).Replace('\\', '/');
}
