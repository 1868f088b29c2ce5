using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>
/// One product's folder, or a folder of them: <c>train/GOOD</c>, <c>test/TYPE</c>, <c>ground_truth/TYPE</c>. MVTec AD, LOCO and BTAD.
/// </summary>
internal sealed class ProductLayout(string name, string good, params string[] maskSuffixes)
{
    public static readonly ProductLayout MvTec = new("MVTec AD", ImageFiles.Good, "_mask", "");
    public static readonly ProductLayout Btad = new("BTAD", "ok", "");

    public bool Matches(string path) => Products(path).Any();

    public IReadOnlyList<DatasetImage> List(string path)
    {
        var products = Products(path).ToArray();
        return products.Length > 0 ? [.. products.SelectMany(Product)]
            : throw new InsufficientDataException($"'{path}' is not laid out as {name}: "
                + $"expected a folder 'train/{good}' in it, or in each product's folder right below it. "
                + "Name another layout, or move the normal images there.");
    }

    private IEnumerable<string> Products(string path) => IsProduct(path) ? [path] : ImageFiles.FoldersIn(path).Where(IsProduct);

    private bool IsProduct(string folder) => Directory.Exists(Path.Combine(folder, "train", good));

    private IEnumerable<DatasetImage> Product(string folder)
    {
        var (product, index) = (ImageFiles.NameOf(folder), new MaskIndex());
        var parts = new[] { (DatasetSplit.Train, "train"), (DatasetSplit.Validation, "validation"), (DatasetSplit.Test, "test") };
        foreach (var (split, part) in parts)
        {
            var types = ImageFiles.FoldersIn(Path.Combine(folder, part));
            foreach (var type in types.Where(type => split == DatasetSplit.Test || Path.GetFileName(type) == good))
            {
                var defect = Path.GetFileName(type);
                var isGood = defect == good;
                foreach (var image in ImageFiles.List(type))
                {
                    yield return new(
                        image, product, split, !isGood,
                        isGood ? ImageFiles.Good : defect, isGood ? null : Mask(index, folder, defect, image));
                }
            }
        }
    }

    private string? Mask(MaskIndex index, string folder, string defect, string image)
    {
        var (masks, stem) = (Path.Combine(folder, "ground_truth", defect), Path.GetFileNameWithoutExtension(image));
        var several = Path.Combine(masks, stem);
        return index.Find(masks, stem, maskSuffixes) ?? (ImageFiles.List(several).Count > 0 ? several : null);
    }
}
