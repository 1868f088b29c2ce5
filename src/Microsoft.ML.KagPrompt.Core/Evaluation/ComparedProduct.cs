using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>A product of a comparison.</summary>
/// <param name="ClassName">Its name.</param>
/// <param name="Support">Normal images that are fitted on.</param>
/// <param name="Rest">Normal images that are not.</param>
/// <param name="Test">Labelled images of both kinds; empty where one kind is lacking.</param>
internal sealed record ComparedProduct(string ClassName, DatasetImage[] Support, DatasetImage[] Rest, DatasetImage[] Test)
{
    /// <exception cref="InsufficientDataException">One has too few normal images, or there is none.</exception>
    public static ComparedProduct[] Split(FewShotDataset dataset, int? shots, int seed)
    {
        ComparedProduct[] products = [.. dataset.Images.GroupBy(image => image.ClassName)
            .Select(group => Create(group.Key, [.. group], shots, seed)).Where(product => product.Support.Length > 0)];
        return products.Length > 0 ? products
            : throw new InsufficientDataException($"'{dataset.Name}' holds no normal images to fit on: expected at least one, got none.");
    }

    private static ComparedProduct Create(string className, DatasetImage[] all, int? shots, int seed)
    {
        DatasetImage[] normal = [.. all.Where(image => image.Split == DatasetSplit.Train && image.IsAnomalous != true)];
        if (normal.Length < shots)
        {
            throw new InsufficientDataException($"product '{className}': expected at least {shots} normal images, got {normal.Length}.");
        }

        DatasetImage[] test = [.. all.Where(image => image is { Split: DatasetSplit.Test, IsAnomalous: not null })];
        var drawn = shots is null ? normal : new Product("", className, all, normal, test).Draw(seed);
        var hasBoth = test.Select(image => image.IsAnomalous).Distinct().Count() == 2;
        return new(className, drawn[..(shots ?? drawn.Length)], drawn[(shots ?? drawn.Length)..], hasBoth ? test : []);
    }
}
