using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt.Choices;

/// <summary>How many pictures of something else a default model tells as foreign, and how many of its own parts it wrongly tells so.</summary>
internal static class ForeignPictures
{
    /// <summary>Pictures of every other product.</summary>
    private const int OfEach = 8;

    /// <summary>Prints a row a set and one of all.</summary>
    public static void Run(IReadOnlyList<string> folders, int shots, TextWriter output)
    {
        var files = new EvaluationFiles();
        var products = folders.Select(folder => Product.FromDatasets(
            [new FewShotDataset(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), AnomalyDataset.List(folder))],
            shots).Single()).ToArray();
        var good = products.Select(product => product.Test.Where(image => image.IsAnomalous != true).ToArray()).ToArray();
        var bad = products.Select(product => product.Test.Where(image => image.IsAnomalous == true).ToArray()).ToArray();
        output.WriteLine("| set | own good parts | own defective parts | another product | black, white, grey, noise |");
        output.WriteLine("|---|---|---|---|---|");
        var totals = new (int Foreign, int All)[4];
        for (var own = 0; own < products.Length; own++)
        {
            var supports = products[own].Draw(0).Take(shots).Select(image => new TrainingImage { Image = files.Read(image) });
            using var model = KagPromptTrainer.Fit(supports, new InspectionOptions { Seed = 0 });
            var others = Enumerable.Range(0, products.Length).Where(other => other != own).SelectMany(other => good[other].Take(OfEach));
            var first = files.Read(good[own][0]);
            var counts = new[]
            {
                Count(model, good[own].Select(files.Read)), Count(model, bad[own].Select(files.Read)),
                Count(model, others.Select(files.Read)), Count(model, Frames(first.Width, first.Height)),
            };
            output.WriteLine($"| {products[own].Dataset} | {string.Join(" | ", counts.Select(Text))} |");
            totals = [.. totals.Zip(counts, (total, count) => (total.Foreign + count.Foreign, total.All + count.All))];
        }

        output.WriteLine($"| all | {string.Join(" | ", totals.Select(Text))} |");
    }

    private static string Text((int Foreign, int All) count) => $"{count.Foreign} of {count.All}";

    private static (int Foreign, int All) Count(KagPromptModel model, IEnumerable<PixelBuffer> pictures)
    {
        var found = pictures.Chunk(8).SelectMany(few => model.Inspect(few, new string?[few.Length])).ToArray();
        return (found.Count(inspection => inspection.IsForeign), found.Length);
    }

    private static IEnumerable<PixelBuffer> Frames(int width, int height)
    {
        foreach (var level in (byte[])[0, 255, 128])
        {
            var plain = new byte[3 * width * height];
            Array.Fill(plain, level);
            yield return new PixelBuffer(width, height, plain);
        }

        var noise = new byte[3 * width * height];
        new Random(3).NextBytes(noise);
        yield return new PixelBuffer(width, height, noise);
    }
}
