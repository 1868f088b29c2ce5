using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Kag;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// A method's own choices; the type says which method. A new one is registered here, by its name in saved models and in
/// <see cref="InspectionMethods"/>.
/// </summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(KagOptions), KagOptions.MethodName)]
[JsonDerivedType(typeof(PatchCoreOptions), PatchCoreOptions.MethodName)]
[JsonDerivedType(typeof(SpadeOptions), SpadeOptions.MethodName)]
[JsonDerivedType(typeof(WinClipOptions), WinClipOptions.MethodName)]
[JsonDerivedType(typeof(AprilGanOptions), AprilGanOptions.MethodName)]
[JsonDerivedType(typeof(AnomalyGptOptions), AnomalyGptOptions.MethodName)]
[JsonDerivedType(typeof(PromptAdOptions), PromptAdOptions.MethodName)]
[JsonDerivedType(typeof(AnomalyDinoOptions), AnomalyDinoOptions.MethodName)]
[JsonDerivedType(typeof(SubspaceOptions), SubspaceOptions.MethodName)]
[JsonDerivedType(typeof(RadOptions), RadOptions.MethodName)]
public abstract record MethodOptions
{
    private protected MethodOptions() { }

    /// <summary>Which normal images a class remembers.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>Own sentences by class name, of methods that are told any.</summary>
    internal virtual IReadOnlyDictionary<string, PromptEnsemble> Sentences => new Dictionary<string, PromptEnsemble>();

    /// <summary>Whether a fit trains weights that classes share; where it does, they are trained once and classes adapted to.</summary>
    internal virtual bool Trains => false;

    /// <summary>Whether patches and the image's embedding are all it needs, so that pictures may come to it through tiles.</summary>
    internal virtual bool TakesTiles => true;

    /// <summary>Files it reads at the fit, by path.</summary>
    internal virtual IReadOnlyList<string> Files => [];

    /// <summary>
    /// Whether a graph stands beside the memory bank, which may then have a backbone of its own or hold the graph's outputs.
    /// </summary>
    internal virtual bool HasGraph => false;

    /// <summary>The method, untrained or from a starting point. The caller owns it.</summary>
    internal abstract IInspectionMethod Create(MethodStart start);

    /// <summary>The method with the weights of a saved model. The caller owns it.</summary>
    internal abstract IInspectionMethod Read(MethodSizes sizes, ITensorSource weights);

    internal virtual void CollectFaults(OptionFaults faults)
    {
        faults.Require(Memory is not null, nameof(Memory), "options", Memory)
            .Require(HasGraph || Memory is null or { Features: MemoryFeatures.Patch }, "Memory.Features",
                $"{MemoryFeatures.Patch}, as only KAG-prompt has a graph", Memory?.Features);
        Memory?.CollectFaults(faults, nameof(Memory));
    }
}
