using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <summary>
/// The steps that train linear heads: focal and dice loss of every layer's map, and Adam. Owns its moments, not the heads.
/// </summary>
/// <param name="heads">What is trained, in place, on its device.</param>
/// <param name="toImage">Of each layer, its patches to S × S.</param>
internal sealed class HeadTrainer(LinearHeads heads, IReadOnlyList<Func<Tensor, Tensor>> toImage) : IDisposable
{
    // Without weight decay AdamW is Adam.
    private readonly AdamW optimizer = new([.. heads.Weights.Values], beta1: 0.5, beta2: 0.999, weightDecay: 0);

    /// <summary>Masks of any levels in 0..1 as 0 and 1.</summary>
    public static Tensor Binary(Tensor masks) => masks.IsAbove(0.5).to_type(ScalarType.Float32);

    /// <summary>The losses of a batch, with gradients to the heads. The tensors are the caller's scope's.</summary>
    /// <param name="patchTokens">Of each layer, [B, L, D].</param>
    /// <param name="textFeatures">Of each image's class, [B, 2, C'].</param>
    /// <param name="masks">[B, S, S] of 0 and 1.</param>
    public HeadLosses Losses(IReadOnlyList<Tensor> patchTokens, Tensor textFeatures, Tensor masks)
    {
        Tensor[] maps = [.. patchTokens.Select((tokens, layer)
            => AprilGanMaps.LayerMap(AprilGanMaps.Logits(heads.Project(layer, tokens), textFeatures), toImage[layer]))];
        return new(maps, [.. maps.Select(map => MapLosses.Focal(map.Complement(), map, masks))],
            [.. maps.Select(map => MapLosses.Dice(map, masks))]);
    }

    /// <summary>One step along the gradients that were added up since the last.</summary>
    public void Update(double rate)
    {
        optimizer.Step(rate);
        optimizer.ZeroGradients();
    }

    public void Dispose() => optimizer.Dispose();
}

/// <summary>The losses of a batch.</summary>
/// <param name="Maps">Each layer's probabilities of a defect, [B, S, S].</param>
/// <param name="Focal">Each layer's focal loss.</param>
/// <param name="Dice">Each layer's dice loss.</param>
internal sealed record HeadLosses(IReadOnlyList<Tensor> Maps, IReadOnlyList<Tensor> Focal, IReadOnlyList<Tensor> Dice)
{
    /// <summary>Their sum, without weights.</summary>
    public Tensor Total { get; } = AprilGanMaps.Sum(Focal.Concat(Dice));
}
