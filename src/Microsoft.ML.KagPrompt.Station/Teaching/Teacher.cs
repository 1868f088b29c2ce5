using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.ML.KagPrompt.Station.Pictures;

namespace Microsoft.ML.KagPrompt.Station.Teaching;

/// <summary>Makes a model of photographs, and what is told of it.</summary>
internal sealed class Teacher(PhotoStore photographs, PictureDecoder decoder)
{
    /// <summary>Fewer say nothing of how good parts differ.</summary>
    public const int FewestPhotographs = 2;

    private const int MostRemembered = 64;

    /// <summary>Defects drawn to show what is missed.</summary>
    private const int MostDrawn = 12;

    /// <summary>Fits, and writes the model's file.</summary>
    /// <param name="product">Becomes the class.</param>
    /// <param name="facts">Which photographs, defects and region; the rest of it is not read.</param>
    /// <param name="target">Written whole or not at all.</param>
    public async Task<FitOutcome> FitAsync(string product, ModelFacts facts, string target, Action<string, int, int> tell,
        CancellationToken stop)
    {
        if (facts.Photographs.Count < FewestPhotographs)
        {
            throw new InvalidOperationException($"Expected at least {FewestPhotographs} photographs of good parts, "
                + $"got {facts.Photographs.Count}. Five or more are better.");
        }

        var region = RegionOf(facts.Inspect);
        var measures = new List<PictureMeasure>();
        foreach (var photo in facts.Photographs)
        {
            tell("reading photographs", measures.Count, facts.Photographs.Count);
            measures.Add(PictureMeasure.Compute(await decoder.ReadAsync(await photographs.ReadAsync(photo, stop), stop)));
        }

        var method = new KagOptions();
        var options = new InspectionOptions
        {
            Seed = 1,
            // All of them, within what stays quick: what was said to be good must be remembered as good.
            Method = method with { Memory = method.Memory with { MaxSupportImages = Math.Clamp(facts.Photographs.Count, 16,
                MostRemembered) } },
            Regions = region is null ? new Dictionary<string, InspectionRegion>() : new() { [product] = region },
        };
        var progress = new ReportedProgress(step => tell(step.Phase, step.Done, step.Total));
        using var model = KagPromptTrainer.Fit(Images(product, facts, stop), options, null, progress, stop);
        var calibration = model.CalibrationOf(product);
        var (drawn, missed) = await MissedAsync(model, product, facts, tell, stop);
        WholeModel(model, target);
        var (expected, low, high) = calibration.FalseRejectRate;
        return new()
        {
            Threshold = calibration.Threshold,
            FalseRejects = expected,
            FalseRejectsLow = low,
            FalseRejectsHigh = high,
            SyntheticFound = calibration.SyntheticDefectsFound,
            Explanation = calibration.Explanation,
            Warnings = calibration.Warnings,
            Drawn = drawn,
            Missed = missed,
            Facts = ModelFacts.From(calibration, facts.Photographs) with { Defects = facts.Defects, Inspect = facts.Inspect,
                Measures = measures },
        };
    }

    /// <summary>Writes a model's file, whole or not at all.</summary>
    public static void WholeModel(KagPromptModel model, string target)
        => WholeFile.Write(target, model.Save);

    /// <summary>In shares of the sides: it fits the model's square as it fits the photographs.</summary>
    public static InspectionRegion? RegionOf(IReadOnlyList<IReadOnlyList<double[]>> inspect) => inspect.Count == 0 ? null
        : InspectionRegion.FromShares([.. inspect.Select(polygon => (IReadOnlyList<(double X,
            double Y)>)[.. polygon.Select(point => (point[0], point[1]))])]);

    // One after another: a photograph is hundred times its square, which is what a fit keeps of it.
    private IEnumerable<TrainingImage> Images(string product, ModelFacts facts, CancellationToken stop)
    {
        foreach (var (photo, isDefect) in facts.Photographs.Select(photo => (photo, false))
            .Concat(facts.Defects.Select(photo => (photo, true))))
        {
            stop.ThrowIfCancellationRequested();
            yield return new()
            {
                // The fit asks from its own thread, and waits for each.
                Image = photographs.DecodeAsync(photo, stop).GetAwaiter().GetResult(),
                ClassName = product,
                Origin = photo.Name,
                IsAnomalous = isDefect ? true : null,
            };
        }
    }

    // The calibration keeps scores of its defects and no pictures: others are drawn the same way.
    private async Task<(int Drawn, IReadOnlyList<MissedDefect> Missed)> MissedAsync(KagPromptModel model, string product, ModelFacts facts,
        Action<string, int, int> tell, CancellationToken stop)
    {
        var normals = facts.Photographs.Take(MostDrawn).ToArray();
        var squares = new PixelBuffer[normals.Length];
        for (var i = 0; i < normals.Length; i++)
        {
            squares[i] = model.ToModelSize(await photographs.DecodeAsync(normals[i], stop), product);
        }

        var synthesizer = new NsaSynthesizer(SynthesisOptions.FitTo(squares));
        var inside = RegionOf(facts.Inspect);
        var (drawn, missed) = (0, new List<MissedDefect>());
        for (var i = 0; i < MostDrawn; i++)
        {
            stop.ThrowIfCancellationRequested();
            tell("drawing defects", i, MostDrawn);
            var (into, from) = (i % squares.Length, (i + 1) % squares.Length);
            var twin = synthesizer.Synthesize(squares[into], squares[from], new Random(i));
            if (!twin.HasDefect || !LiesInside(twin, squares[into], inside))
            {
                continue;
            }

            drawn++;
            var verdict = model.Inspect(twin.Image, product);
            if (!verdict.IsAnomalous)
            {
                var picture = photographs.Add(ImageCodec.EncodePng(Outlined(twin)), $"defect-{i}.png");
                missed.Add(new(picture.Hash, normals[into].Name, verdict.Score));
            }
        }

        return (drawn, missed);
    }

    // What is drawn where nothing is inspected is no miss.
    private static bool LiesInside(SyntheticImage twin, PixelBuffer square, InspectionRegion? region)
    {
        if (region is null)
        {
            return true;
        }

        var mask = region.ToMask();
        return Enumerable.Range(0, twin.Mask.Length).Where(p => twin.Mask[p])
            .All(p => mask[(p / square.Width * region.Height / square.Height * region.Width)
                + (p % square.Width * region.Width / square.Width)] != 0);
    }

    // A drawn defect may be hard to find for people, too: a line around it says where it is.
    private static PixelBuffer Outlined(SyntheticImage twin)
    {
        var (width, height, rgb) = (twin.Image.Width, twin.Image.Height, twin.Image.Rgb.ToArray());
        bool At(int x, int y) => x >= 0 && y >= 0 && x < width && y < height && twin.Mask[(y * width) + x];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                if (!At(x, y) && (At(x - 1, y) || At(x + 1, y) || At(x, y - 1) || At(x, y + 1)))
                {
                    var p = ((y * width) + x) * 3;
                    (rgb[p], rgb[p + 1], rgb[p + 2]) = (255, 0, 160);
                }
            }
        }

        return new PixelBuffer(width, height, rgb);
    }

    // Progress<T> would post, and come after the end.
    private sealed class ReportedProgress(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }
}
