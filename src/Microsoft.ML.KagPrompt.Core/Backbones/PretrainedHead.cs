using Microsoft.ML.KagPrompt.Checkpoints;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Weights of a method, trained on a backbone, that come with it.</summary>
/// <param name="Method">Which method's, and in which form ("kag.paper").</param>
/// <param name="Iterations">The rounds of message passing it was trained with.</param>
/// <param name="Open">Reads it; the caller owns the source.</param>
internal sealed record PretrainedHead(string Method, int Iterations, Func<ITensorSource> Open);

/// <summary>What training a method's weights on a backbone was measured to need, where the options do not say.</summary>
/// <param name="Method">Which method's, and in which form ("kag.paper").</param>
/// <param name="CentreProjections">Whether the first layer's steps are taken about the patches' mean.</param>
/// <param name="DiceWeight">λ2 of equation (17).</param>
internal sealed record TrainingPreset(string Method, bool CentreProjections, float DiceWeight);
