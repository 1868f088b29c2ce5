using Microsoft.ML.KagPrompt.Fitting;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>
/// The models of cells. A prompt is trained once for all the cells that can share it, and no more than are needed are held.
/// </summary>
internal sealed class CellModels(
    InspectionOptions options, FewShotProtocol protocol, IEvaluationImages images, KagPromptModel? initial, FitSharing sharing,
    Action<string> tell, CancellationToken cancellation) : IDisposable
{
    private const int MostSupports = 10_000;

    private readonly DatasetImage[] elsewhere = protocol.TrainOn is { } dataset ? Product.NormalOf(dataset.Images) : [];
    private readonly bool trains = options.Method.Trains;
    private KagPromptModel? shared;
    private KagPromptModel? own;

    /// <summary>
    /// Support images in the bank of a model whose prompt, if any, is trained at most once for a draw. The caller disposes it.
    /// </summary>
    public KagPromptModel For(Product product, DatasetImage[] support, int seed, int iterations)
    {
        if (protocol.TrainOn is not null)
        {
            shared ??= Train(elsewhere, 0, iterations);
        }
        else if (trains)
        {
            own ??= Train(product.Normal, seed, iterations);
        }

        return (shared ?? own) is { } trained
            ? KagPromptTrainer.Adapt(trained, Read(support), cancellation: cancellation, regions: RegionsOf(support))
            : Fit(support, seed, iterations);
    }

    /// <summary>Another product or draw comes.</summary>
    public void EndDraw()
    {
        own?.Dispose();
        own = null;
    }

    /// <summary>Another number of graph iterations comes.</summary>
    public void Dispose()
    {
        EndDraw();
        shared?.Dispose();
        shared = null;
    }

    private KagPromptModel Train(DatasetImage[] normal, int seed, int iterations)
    {
        var other = iterations == FewShotConfiguration.From(options).Iterations ? "" : FormattableString.Invariant($", T = {iterations}");
        var classes = string.Join(", ", normal.Select(image => image.ClassName).Distinct());
        tell(FormattableString.Invariant($"training on {normal.Length} images of {classes}, draw {seed}{other}"));
        return Fit(normal, seed, iterations);
    }

    private KagPromptModel Fit(DatasetImage[] normal, int seed, int iterations)
    {
        var method = options.Method is KagOptions kag ? kag with { Prompt = kag.Prompt with { Iterations = iterations } } : options.Method;
        var all = method with { Memory = method.Memory with { MaxSupportImages = Math.Clamp(normal.Length, 1, MostSupports) } };
        var choices = options with { Method = all, Seed = seed, Regions = RegionsOf(normal) };
        return KagPromptTrainer.Fit(Read(normal), choices, initial, sharing, null, cancellation);
    }

    /// <summary>Those of the products at hand: a fit knows no others.</summary>
    private Dictionary<string, InspectionRegion> RegionsOf(DatasetImage[] images)
        => options.Regions.Where(entry => images.Any(image => image.ClassName == entry.Key))
            .ToDictionary(entry => entry.Key, entry => entry.Value);

    private IEnumerable<TrainingImage> Read(IEnumerable<DatasetImage> normal) => normal
        .Select(image => new TrainingImage { Image = images.Read(image), ClassName = image.ClassName, Origin = image.Path });
}
