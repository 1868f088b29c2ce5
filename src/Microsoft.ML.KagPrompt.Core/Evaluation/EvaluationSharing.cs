using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Fitting;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>
/// What the cells of a product have in common, whichever method, draw and number of shots: its test images, towers, and what these make of
/// its images.
/// </summary>
internal sealed class EvaluationSharing(IEvaluationImages images) : IDisposable
{
    private readonly Dictionary<(string Dataset, string ClassName), ScoredImages> tests = [];
    private TimeSpan saved;

    public FitSharing Fits { get; } = new(FeatureStore.UsualBytes);

    /// <summary>How much longer it all would have taken alone.</summary>
    public TimeSpan TimeSaved => Fits.TimeSaved + saved + tests.Values.Aggregate(TimeSpan.Zero, (sum, test) => sum + test.TimeSaved);

    public ScoredImages TestOf(Product product)
    {
        if (!tests.TryGetValue((product.Dataset, product.ClassName), out var test))
        {
            tests.Add((product.Dataset, product.ClassName), test = new(product.Test, images));
        }

        return test;
    }

    /// <summary>Another product comes.</summary>
    public void EndProduct()
    {
        saved = TimeSaved - Fits.TimeSaved;
        tests.Clear();
        Fits.Features.Clear();
    }

    public void Dispose() => Fits.Dispose();
}
