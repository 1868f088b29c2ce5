using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>Builds a class's memory bank from its support images and its threshold from scores the bank could not know.</summary>
internal sealed class ReferenceBuilder(InspectionNetwork network, InspectionOptions options, PromptTexts texts, int seed,
    Action<TrainingProgress> report, CancellationToken cancellation)
{
    // Enough for the ranks a threshold needs; more only costs time.
    private const int MostCalibrationImages = 128;

    /// <summary>The class ready for scoring. Takes over <paramref name="textFeatures"/>, also when it throws.</summary>
    public ClassState Build(FitSet set, string className, torch.Tensor? textFeatures, ClassRegion? region)
    {
        ClassReference? reference = null;
        try
        {
            var support = set.SupportOf(className, options.Method.Memory.MaxSupportImages, seed);
            // Filled inside the block that disposes it: a fit can be stopped between two supports.
            var perImage = new List<IReadOnlyList<torch.Tensor>>();
            try
            {
                perImage.AddRange(support.Select(Remember));
                textFeatures = Learnt(className, perImage, textFeatures, region);
                reference = network.Method.BuildReference(perImage, textFeatures, region);
                textFeatures = null;
                var heldOut = Sample(set.HeldOutOf(className, support));
                var squares = support.Concat(heldOut).Select(image => image.Square).ToArray();
                var synthesizer = new NsaSynthesizer(SynthesisOptions.For(className, options.Synthesis, squares, region?.Square));
                var calibration = new ThresholdCalibrator(network, reference, options.Threshold, synthesizer, seed, cancellation)
                    .Calibrate(support, perImage, heldOut, set.AnomalousOf(className));
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

    /// <summary>The text features, or what is learnt of the supports in their place. Takes them over where it succeeds.</summary>
    private torch.Tensor? Learnt(string className, IReadOnlyList<IReadOnlyList<torch.Tensor>> perImage, torch.Tensor? textFeatures,
        ClassRegion? region)
    {
        if (network.Method is not IClassLearningMethod method)
        {
            return textFeatures;
        }

        var learnt = method.LearnClass(new(className, textFeatures, perImage, network.Encoder, texts, region, seed, report, cancellation));
        textFeatures?.Dispose();
        return learnt;
    }

    private IReadOnlyList<FitImage> Sample(IReadOnlyList<FitImage> images)
    {
        var drawn = images.ToArray();
        new Random(seed).Shuffle(drawn);
        return drawn[..Math.Min(drawn.Length, MostCalibrationImages)];
    }

    /// <summary>What the method keeps of one support and its views.</summary>
    private IReadOnlyList<torch.Tensor> Remember(FitImage image, int index)
    {
        cancellation.ThrowIfCancellationRequested();
        var (pictures, regions) = ViewsOfSupport.Create(image.Square, image.Region, options.Method.Memory.Views);
        return network.Remember(pictures, regions, unchecked((seed * 397) ^ index));
    }
}
