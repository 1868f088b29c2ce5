using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Model;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>Builds a class's memory bank from its support images and its threshold from scores the bank could not know.</summary>
internal sealed class ReferenceBuilder(InspectionNetwork network, int seed, CancellationToken cancellation)
{
    // Enough for the ranks a threshold needs; more only costs time.
    private const int MostCalibrationImages = 128;

    /// <summary>The class ready for scoring. Takes over <paramref name="textFeatures"/>, also when it throws.</summary>
    public ClassState Build(FitSet set, string className, torch.Tensor? textFeatures)
    {
        ClassReference? reference = null;
        try
        {
            var support = set.SupportOf(className, network.Options.MaxSupportImages, seed);
            var perImage = support.Select(BankTokens).ToArray();
            try
            {
                reference = new ClassReference(textFeatures, MemoryBank.Build(perImage));
                var calibration = new ThresholdCalibrator(network, reference, seed, cancellation)
                    .Calibrate(support, perImage, Sample(set.HeldOutOf(className, support)), set.AnomalousOf(className));
                return new ClassState(new Shared<ClassReference>(reference), calibration);
            }
            finally
            {
                foreach (var tensor in perImage.SelectMany(tokens => tokens))
                {
                    tensor.Dispose();
                }
            }
        }
        catch
        {
            reference?.Dispose();
            textFeatures?.Dispose();
            throw;
        }
    }

    private IReadOnlyList<FitImage> Sample(IReadOnlyList<FitImage> images)
    {
        var drawn = images.ToArray();
        new Random(seed).Shuffle(drawn);
        return drawn[..Math.Min(drawn.Length, MostCalibrationImages)];
    }

    /// <summary>One support's patches per layer: [R, L, D], R = 1, or 4 with rotations.</summary>
    private IReadOnlyList<torch.Tensor> BankTokens(FitImage image)
    {
        cancellation.ThrowIfCancellationRequested();
        PixelBuffer[] views = network.Options.RotateSupports
            ? [.. Enumerable.Range(0, 4).Select(turns => image.Square.Rotate90(turns))]
            : [image.Square];
        using var features = network.EncodeForScoring(views);
        return network.BankTokens(features);
    }
}
