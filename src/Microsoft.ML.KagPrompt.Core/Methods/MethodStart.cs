using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>What a method must know of the backbones it scores with.</summary>
/// <param name="Main">The backbone.</param>
/// <param name="Memory">The memory bank's own, or the same again.</param>
/// <param name="ImageSize">S.</param>
/// <param name="Upsampling">Where the values of patches lie in the map.</param>
/// <param name="Device">Where the weights go.</param>
internal sealed record MethodSizes(VisionTowerInfo Main, VisionTowerInfo Memory, int ImageSize, MapUpsampling Upsampling,
    torch.Device Device)
{
    /// <summary>The backbone itself, to be asked what else it computes; null where sizes alone are known.</summary>
    public IVisionTower? Tower { get; init; }
}

/// <summary>What a method may start from.</summary>
/// <param name="Sizes">Of the backbones.</param>
/// <param name="BackboneName">For messages.</param>
/// <param name="Heads">Weights that come with the backbone.</param>
/// <param name="Initial">The method of an initial model, which stays as it is; null: there is none.</param>
/// <param name="Seed">Of what is drawn.</param>
internal sealed record MethodStart(MethodSizes Sizes, string BackboneName, IReadOnlyList<PretrainedHead> Heads,
    IInspectionMethod? Initial, int Seed)
{
    /// <summary>The backbone's text side; null where there is none to ask.</summary>
    public PromptTexts? Texts { get; init; }
}

/// <summary>What a method may train with.</summary>
/// <param name="Encoder">The frozen backbones.</param>
/// <param name="Normal">Normal images of all classes.</param>
/// <param name="TextFeatures">F_text by class: [2, C'] each.</param>
/// <param name="Synthesis">Own ways to draw defects, by class.</param>
/// <param name="Seed">Of everything random.</param>
/// <param name="Report">Told of every step.</param>
/// <param name="Cancellation">Stops between steps.</param>
internal sealed record TrainingRun(FeatureEncoder Encoder, IReadOnlyList<Imaging.ProductImage> Normal,
    IReadOnlyDictionary<string, torch.Tensor> TextFeatures, IReadOnlyDictionary<string, SynthesisOptions> Synthesis, int Seed,
    Action<TrainingProgress> Report, CancellationToken Cancellation);

/// <summary>What a method may learn a class with.</summary>
/// <param name="ClassName">The class.</param>
/// <param name="TextFeatures">From <see cref="IInspectionMethod.Describe"/>; null where the method uses no text. Stay the caller's.</param>
/// <param name="Supports">One entry an image, from <see cref="IInspectionMethod.Remember"/>; stay the caller's.</param>
/// <param name="Encoder">The frozen backbones.</param>
/// <param name="Texts">The backbone's text side, loaded when first asked for.</param>
/// <param name="Region">What is inspected; null: all.</param>
/// <param name="Seed">Of everything random.</param>
/// <param name="Report">Told of every step.</param>
/// <param name="Cancellation">Stops between steps.</param>
internal sealed record ClassLearning(string ClassName, torch.Tensor? TextFeatures, IReadOnlyList<IReadOnlyList<torch.Tensor>> Supports,
    FeatureEncoder Encoder, PromptTexts Texts, Common.ClassRegion? Region, int Seed, Action<TrainingProgress> Report,
    CancellationToken Cancellation);
