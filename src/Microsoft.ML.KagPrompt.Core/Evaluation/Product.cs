using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>A product of a data set: what is drawn from and what is scored.</summary>
internal sealed record Product(string Dataset, string ClassName, DatasetImage[] All, DatasetImage[] Normal, DatasetImage[] Test)
{
    /// <exception cref="InsufficientDataException">One has too few images.</exception>
    public static IReadOnlyList<Product> Of(IEnumerable<FewShotDataset> datasets, int mostShots)
    {
        Product[] products = [.. datasets.SelectMany(dataset => dataset.Images.GroupBy(image => image.ClassName)
            .Select(group => new Product(
                dataset.Name,
                group.Key,
                [.. group],
                NormalOf(group),
                [.. group.Where(image => image is { Split: DatasetSplit.Test, IsAnomalous: not null })])))];
        return products.FirstOrDefault(product => product.Normal.Length < mostShots || product.Test.Length == 0) is not { } lacking
            ? products
            : throw new InsufficientDataException($"'{lacking.Dataset}', product '{lacking.ClassName}': "
                + $"expected at least {mostShots} normal images to draw from "
                + $"and one labelled image to score, got {lacking.Normal.Length} and {lacking.Test.Length}.");
    }

    /// <summary>What may be fitted on.</summary>
    public static DatasetImage[] NormalOf(IEnumerable<DatasetImage> images)
        => [.. images.Where(image => image is { Split: DatasetSplit.Train, IsAnomalous: false })];

    /// <summary>The normal images as draw <paramref name="seed"/> orders them: each number of shots takes the first.</summary>
    public DatasetImage[] Draw(int seed)
    {
        var order = Enumerable.Range(0, Normal.Length).ToArray();
        new Random(seed).Shuffle(order);
        return Array.ConvertAll(order, i => Normal[i]);
    }
}
