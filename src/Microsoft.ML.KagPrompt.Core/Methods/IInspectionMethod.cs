using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>
/// A few-shot method: what it keeps of normal images, and how it scores others against that. Owns its weights; scoring is thread-safe.
/// </summary>
internal interface IInspectionMethod : IDisposable
{
    /// <summary>Whether a class needs the features of its prompts.</summary>
    bool UsesText { get; }

    /// <summary>The weights by name, for the archive. The method keeps ownership.</summary>
    IReadOnlyDictionary<string, torch.Tensor> Weights { get; }

    /// <summary>What it remembers and scores S × S images by. The caller owns it.</summary>
    EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares);

    /// <summary>A class's prompts' features, of methods that use text. The caller owns them.</summary>
    torch.Tensor Describe(PromptTexts texts, string className) => texts.For(className);

    /// <summary>What a region leaves of this method's patches and maps.</summary>
    /// <exception cref="ArgumentException">No patch.</exception>
    ClassRegion Place(SquareRegion region);

    /// <summary>What is kept of one support image, whose views (turned, say) were encoded together. The caller owns it.</summary>
    /// <param name="views">The views, from <see cref="Encode"/>.</param>
    /// <param name="regions">Of each view, what is kept; null: all.</param>
    /// <param name="seed">Of what is drawn among the patches of further views.</param>
    IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0);

    /// <summary>
    /// A class ready for scoring, of what was kept of each of its supports. Takes over the text features; the caller owns the result.
    /// </summary>
    /// <param name="supports">One entry an image, from <see cref="Remember"/>; they stay the caller's.</param>
    /// <param name="textFeatures">From <see cref="Describe"/> or <see cref="IClassLearningMethod.LearnClass"/>;
    /// null where no text is used.</param>
    /// <param name="region">What is inspected, as it was kept of the supports; null: all.</param>
    ClassReference BuildReference(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures,
        ClassRegion? region = null);

    /// <summary>The same class without one of its supports, with all that was chosen by them together. The caller owns it.</summary>
    /// <param name="whole">Of all supports.</param>
    /// <param name="supports">All, as they were given for it.</param>
    /// <param name="left">Which to leave out.</param>
    ClassReference LeaveOut(ClassReference whole, IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, int left)
        => BuildReference([.. supports.Where((_, i) => i != left)], whole.TextFeatures?.clone(), whole.Region);

    /// <summary>A class from a saved model. The caller owns it.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing or of another shape.</exception>
    ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null);

    /// <summary>
    /// Maps, 0 outside the class's region, and scores of encoded images of one class, without gradients. The caller owns them.
    /// </summary>
    MethodScores Score(EncodedImages features, ClassReference reference);

    /// <summary>
    /// What <see cref="Encode"/> and <see cref="Score"/> together compute of images of one class, in ONNX operators.
    /// </summary>
    /// <param name="images">The images, and the towers that see them.</param>
    /// <param name="reference">The class, whose tensors become constants.</param>
    /// <exception cref="NotSupportedException">A tower of it does not say itself in ONNX.</exception>
    MethodGraph Emit(EncoderGraph images, ClassReference reference);

    /// <summary>The part of an image's score that its map alone decides: [B, S, S] → [B]. The caller owns it.</summary>
    torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null);
}

/// <summary>A method with weights to train.</summary>
internal interface ITrainedMethod : IInspectionMethod
{
    /// <summary>Trains in place, if the options ask for it; says whether it did.</summary>
    bool Train(TrainingRun run);
}

/// <summary>A method that learns something of each class from its supports, once, before the class's reference is built of them.</summary>
internal interface IClassLearningMethod : IInspectionMethod
{
    /// <summary>What takes the place of the class's text features from then on, of any shape. The caller owns it.</summary>
    torch.Tensor LearnClass(ClassLearning run);
}
