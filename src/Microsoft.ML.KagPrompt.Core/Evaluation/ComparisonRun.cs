using System.Diagnostics;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Methods;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>Fits one method after the other, measures each, and lets go of it before the next.</summary>
internal sealed class ComparisonRun(
    FewShotDataset dataset, InspectionOptions options, IEvaluationImages images, ComparisonChoices choices,
    IProgress<FewShotProgress>? progress, CancellationToken cancellation)
{
    private const int Timed = 5;

    private readonly List<string> notes = [];
    private ComparedProduct[] products = [];
    private ShownImages? shown;

    public ComparisonResults Compute()
    {
        products = ComparedProduct.Split(dataset, choices.Shots, options.Seed ?? 0);
        ClassRegions.RequireKnown(options.Regions.Keys, [.. products.Select(product => product.ClassName)]);
        DatasetCheck.Run(
            dataset, products.SelectMany(product => product.Support.Concat(product.Rest).Concat(product.Test)), images, cancellation);
        var isByLabels = products.Any(product => product.Test.Length > 0);
        NoteData(isByLabels);
        var (usable, refused) = Allowed();
        var compared = new List<ComparedMethod>();
        foreach (var own in usable)
        {
            Tell($"{InspectionMethods.NameOf(own.Method)}: fitting", compared.Count, usable.Count);
            compared.Add(Compare(own));
        }

        Tell("compared", compared.Count, usable.Count);
        if (!isByLabels && compared.Where(method => method.HasSeenLeftOut).Select(method => method.Name).ToArray() is { Length: > 0 } seen)
        {
            notes.Add($"{string.Join(", ", seen)}: learned from every photograph, those left out, too; the figures flatter it.");
        }

        return new()
        {
            IsByLabels = isByLabels,
            Methods = Ranked(compared, isByLabels),
            Refused = refused,
            Images = shown?.Images ?? [],
            Notes = [.. notes.Distinct()],
        };
    }

    /// <summary>Best first; what cannot be told comes last, and methods alike stay in the order they were named in.</summary>
    internal static IReadOnlyList<ComparedMethod> Ranked(IEnumerable<ComparedMethod> methods, bool isByLabels) => isByLabels
        ? [.. methods.OrderByDescending(method => method.ImageAuroc ?? -1).ThenBy(method => method.BalancedError ?? 2)
            .ThenByDescending(method => method.PixelAuroc ?? -1)]
        : [.. methods.OrderByDescending(method => method.Separation ?? -1).ThenByDescending(method => method.SyntheticDefectsFound ?? -1)
            .ThenByDescending(method => method.Distance ?? double.NegativeInfinity)];

    /// <summary>What a fit can begin with; the rest with the reason.</summary>
    private (IReadOnlyList<InspectionOptions> Usable, IReadOnlyList<RefusedMethod> Refused) Allowed()
    {
        var (usable, refused) = (new List<InspectionOptions>(), new List<RefusedMethod>());
        foreach (var method in choices.Methods)
        {
            var most = choices.Shots ?? method.Memory.MaxSupportImages;
            var own = options with { Method = method with { Memory = method.Memory with { MaxSupportImages = most } } };
            try
            {
                cancellation.ThrowIfCancellationRequested();
                KagPromptTrainer.Check(own);
                usable.Add(own);
            }
            catch (ArgumentException fault)
            {
                refused.Add(new(InspectionMethods.NameOf(method), fault.Message));
            }
        }

        return usable.Count > 0 ? (usable, refused)
            : throw new ArgumentException(string.Join(Environment.NewLine, refused.Select(method => method.Reason).Distinct()));
    }

    private ComparedMethod Compare(InspectionOptions own)
    {
        var watch = Stopwatch.StartNew();
        using var model = KagPromptTrainer.Fit(
            products.SelectMany(product => product.Support).Select(Read), own, cancellation: cancellation);
        var seconds = watch.Elapsed.TotalSeconds;
        shown ??= new(model, products, dataset, images, choices.Pictures);
        var size = new ByteCount();
        model.Save(size);
        var name = InspectionMethods.NameOf(own.Method);
        return new()
        {
            Name = name,
            Cells = [.. products.Where(product => product.Test.Length > 0).Select(product => Score(model, product, name))],
            Calibrations = products
                .ToDictionary(product => product.ClassName, product => model.CalibrationOf(product.ClassName))
                .AsReadOnly(),
            Inspections = shown.InspectBy(model),
            HasSeenLeftOut = own.Method.Trains || model.Network.Method is IClassLearningMethod,
            SecondsFit = seconds,
            MillisecondsPerImage = Milliseconds(model),
            ModelBytes = size.Bytes,
        };
    }

    private FewShotCell Score(KagPromptModel model, ComparedProduct product, string name)
        => new CellScorer(new ScoredImages(product.Test, images), null, notes.Add, cancellation).Score(model, new()
        {
            Method = name,
            Dataset = dataset.Name,
            Class = product.ClassName,
            Shots = product.Support.Length,
            Seed = options.Seed ?? 0,
        });

    private double Milliseconds(KagPromptModel model)
    {
        var timed = products.SelectMany(product => product.Test.Length > 0 ? product.Test : product.Support).Take(Timed).ToArray();
        var times = new List<double>();
        // The first pays for what is set up once.
        foreach (var image in timed.Prepend(timed[0]))
        {
            cancellation.ThrowIfCancellationRequested();
            var pixels = images.Read(image);
            var watch = Stopwatch.StartNew();
            model.Inspect(pixels, image.ClassName);
            times.Add(watch.Elapsed.TotalMilliseconds);
        }

        return times.Skip(1).Order().ElementAt((times.Count - 1) / 2);
    }

    private void NoteData(bool isByLabels)
    {
        if (IdenticalFiles.Warning(dataset.Images, dataset.Folder ?? Path.GetFullPath(".")) is { } same)
        {
            notes.Add(same);
        }

        if (!isByLabels)
        {
            notes.Add("There are no good images and defects to score: the ranking is by synthetic defects on photographs that "
                + "were left out. Real defects may rank the methods otherwise.");
        }

        notes.AddRange(products.Where(product => isByLabels && product.Test.Length == 0)
            .Select(product => $"{product.ClassName}: no good images and defects to score; it is left out of the figures."));
        notes.AddRange(products.Where(product => !isByLabels && product.Support.Length == 1)
            .Select(product => $"{product.ClassName}: of a single photograph nothing can be left out; two or more tell the separation."));
    }

    private TrainingImage Read(DatasetImage image)
        => new() { Image = images.Read(image), ClassName = image.ClassName, Origin = image.Path };

    private void Tell(string message, int done, int total) => progress?.Report(new(message, done, total));
}
