using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>A product of a data set: what is drawn from and what is scored.</summary>
internal sealed record Product(string Dataset, string ClassName, DatasetImage[] All, DatasetImage[] Normal, DatasetImage[] Test)
{
    /// <summary>How many images the authors' draw holds.</summary>
    public const int PaperSupports = 4;

    // The authors' "round": which four, in order.
    private const int PaperRound = 3;
    private const int PaperRoundOfVisA = 14;

    /// <summary>Where the authors' draw begins among the normal images.</summary>
    public int PaperStart { get; init; } = PaperRound * PaperSupports;

    /// <exception cref="InsufficientDataException">One has too few images.</exception>
    public static IReadOnlyList<Product> FromDatasets(
        IEnumerable<FewShotDataset> datasets, int mostShots, SupportDraw draw = SupportDraw.Random)
    {
        datasets = [.. datasets];
        if (draw == SupportDraw.Paper && datasets.FirstOrDefault(dataset => dataset.Layout == DatasetLayout.Auto) is { } untold)
        {
            throw new ArgumentException($"'{untold.Name}': expected its {nameof(FewShotDataset.Layout)} with {nameof(SupportDraw)}.{draw}, "
                + $"which VisA has one of its own of, got {DatasetLayout.Auto}. "
                + $"{nameof(AnomalyDataset)}.{nameof(AnomalyDataset.LayoutOf)} tells it.");
        }

        Product[] products = [.. datasets.SelectMany(dataset => dataset.Images.GroupBy(image => image.ClassName)
            .Select(group => new Product(
                dataset.Name,
                group.Key,
                [.. group],
                NormalOf(group),
                [.. group.Where(image => image is { Split: DatasetSplit.Test, IsAnomalous: not null })])
            {
                PaperStart = (dataset.Layout == DatasetLayout.VisA ? PaperRoundOfVisA : PaperRound) * PaperSupports,
            }))];
        int Needed(Product product) => draw == SupportDraw.Paper ? product.PaperStart + PaperSupports : mostShots;
        return products.FirstOrDefault(product => product.Normal.Length < Needed(product) || product.Test.Length == 0) is not { } lacking
            ? products
            : throw new InsufficientDataException($"'{lacking.Dataset}', product '{lacking.ClassName}': "
                + $"expected at least {Needed(lacking)} normal images to draw from "
                + $"and one labelled image to score, got {lacking.Normal.Length} and {lacking.Test.Length}.");
    }

    /// <summary>What may be fitted on.</summary>
    public static DatasetImage[] NormalOf(IEnumerable<DatasetImage> images)
        => [.. images.Where(image => image is { Split: DatasetSplit.Train, IsAnomalous: false })];

    /// <summary>The normal images as draw <paramref name="seed"/> orders them: each number of shots takes the first.</summary>
    public DatasetImage[] Draw(int seed, SupportDraw draw = SupportDraw.Random)
    {
        if (draw == SupportDraw.Paper)
        {
            return Normal[PaperStart..(PaperStart + PaperSupports)];
        }

        var order = Enumerable.Range(0, Normal.Length).ToArray();
        new Random(seed).Shuffle(order);
        return Array.ConvertAll(order, i => Normal[i]);
    }
}
