using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.WinClip;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// WinCLIP's choices: windows of the image are held against words and against windows of the supports. Nothing is trained. It needs a CLIP
/// or OpenCLIP checkpoint's file as the backbone, for windows go through its transformer alone; the authors take OpenCLIP's
/// ViT-B/16-plus-240.
/// </summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record WinClipOptions : MethodOptions
{
    internal const string MethodName = "winclip";

    private const string WithWindows = "a CLIP or OpenCLIP checkpoint's file";

    /// <summary>The authors' choices. Supports enter as they are, neither turned nor mirrored.</summary>
    public WinClipOptions() => Memory = new() { Views = SupportViews.AsGiven };

    /// <summary>
    /// Whether words alone score (WinCLIP), the supports serving the threshold only; false, the default: words and supports (WinCLIP+).
    /// </summary>
    public bool ZeroShot { get; init; }

    /// <summary>Own sentences by class name; classes without an entry take the method's 147 normal and 84 abnormal ones.</summary>
    public IReadOnlyDictionary<string, PromptEnsemble> Prompts
    {
        get;
        // What was given may change; options do not.
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, PromptEnsemble>();

    internal override IReadOnlyDictionary<string, PromptEnsemble> Sentences => Prompts;

    internal override bool TakesTiles => false;

    internal override IInspectionMethod Create(MethodStart start)
    {
        start.Require<Backbones.IWindowTower>(MethodName, "a transformer that encodes windows of an image alone", WithWindows);
        start.RequireText(MethodName, WithWindows);
        return new WinClipMethod(this, start.Sizes);
    }

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => sizes.Tower is null or Backbones.IWindowTower
        ? new WinClipMethod(this, sizes)
        : throw new ModelFormatException($"The saved model is of method '{MethodName}' on a backbone of family '{sizes.Tower.Family}', "
            + "which encodes no windows. Save or fetch the model again.");

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        PromptEnsemble.CollectFaults(faults, Prompts, nameof(Prompts));
    }
}
