using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>
/// KolektorSDD (<c>kosNN</c>) and KolektorSDD2 (<c>train</c>, <c>test</c>): an image is defective where its mask shows anything.
/// </summary>
internal static class KolektorLayout
{
    private const string FirstSuffix = "_label";
    private const string SecondSuffix = "_GT";
    private const string FirstProduct = "commutator";
    private const string SecondProduct = "surface";
    private const string Defect = "defect";

    public static bool Matches(string path) => IsFirst(path) || IsSecond(path);

    public static IReadOnlyList<DatasetImage> List(string path, Func<string, bool> showsDefect)
    {
        if (IsSecond(path))
        {
            return
            [
                .. Images(Path.Combine(path, "train"), SecondSuffix, SecondProduct, DatasetSplit.Train, showsDefect),
                .. Images(Path.Combine(path, "test"), SecondSuffix, SecondProduct, DatasetSplit.Test, showsDefect),
            ];
        }

        if (!IsFirst(path))
        {
            throw new InsufficientDataException($"'{path}' is not laid out as KolektorSDD or KolektorSDD2: "
                + $"expected folders 'kos01', 'kos02', … with 'PartN{FirstSuffix}.bmp' beside images, "
                + $"or 'train' and 'test' with 'NAME{SecondSuffix}.png' beside images.");
        }

        // The first data set names no split: of the normal images in order of their names, the first half trains.
        var images = Parts(path).SelectMany(folder => Images(folder, FirstSuffix, FirstProduct, DatasetSplit.Test, showsDefect)).ToArray();
        var train = images.Where(image => image.IsAnomalous == false)
            .Take((images.Count(image => image.IsAnomalous == false) + 1) / 2)
            .ToHashSet();
        return [.. images.Select(image => train.Contains(image) ? image with { Split = DatasetSplit.Train } : image)];
    }

    private static bool IsFirst(string path) => Parts(path).Any(folder => ImageFiles.List(folder).Any(image => IsMask(image, FirstSuffix)));

    private static bool IsSecond(string path) => ImageFiles.List(Path.Combine(path, "train")).Any(image => IsMask(image, SecondSuffix));

    private static IEnumerable<string> Parts(string path) => ImageFiles.FoldersIn(path)
        .Where(folder => Path.GetFileName(folder).StartsWith("kos", StringComparison.OrdinalIgnoreCase));

    private static bool IsMask(string image, string suffix)
        => Path.GetFileNameWithoutExtension(image).EndsWith(suffix, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<DatasetImage> Images(
        string folder, string suffix, string product, DatasetSplit split, Func<string, bool> showsDefect)
    {
        var index = new MaskIndex();
        return ImageFiles.List(folder).Where(image => !IsMask(image, suffix)).Select(image =>
        {
            var mask = index.Find(folder, Path.GetFileNameWithoutExtension(image), suffix);
            try
            {
                var isAnomalous = mask is not null && showsDefect(mask);
                var kind = isAnomalous ? Defect : ImageFiles.Good;
                return new DatasetImage(image, product, split, isAnomalous, kind, isAnomalous ? mask : null);
            }
            catch (ImageReadException)
            {
                // Its mask alone would tell what it shows: nothing is fitted on it, and who scores it reads the mask again and says why.
                return new DatasetImage(image, product, DatasetSplit.Test, null, "unknown", mask);
            }
        });
    }
}
