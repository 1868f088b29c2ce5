using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>PromptAD's loss of one step and what it is made of.</summary>
internal sealed record PromptLosses(Tensor Logits, Tensor Contrastive, Tensor Triplet, Tensor Alignment, Tensor Total)
{
    /// <summary>The directions of the normal and of all abnormal prompts: [1, C'] each.</summary>
    public required (Tensor Normal, Tensor Abnormal) Anchors { get; init; }

    /// <summary>Means of the unit features of given and of learned abnormal prompts: [C'] each.</summary>
    public required (Tensor Handcrafted, Tensor Learned) Means { get; init; }

    /// <summary>
    /// Contrastive + triplet + λ · alignment, with gradients. Features are of whole images [k, C'] or of all patches of each [k, L, C'], at
    /// unit length. Within the caller's dispose scope.
    /// </summary>
    /// <param name="features">Of the supports.</param>
    /// <param name="prompts">What the text tower makes of the prompts, of any length.</param>
    /// <param name="scale">The logit scale as stored: the authors do not raise it to the power of e.</param>
    /// <param name="alignmentWeight">λ.</param>
    public static PromptLosses Compute(Tensor features, PromptRows prompts, double scale, double alignmentWeight)
    {
        var abnormal = cat([prompts.Handcrafted, prompts.Learned], 0);
        static Tensor Direction(Tensor rows) => rows.mean([0], keepdim: true).UnitLength(-1);
        var anchors = (Normal: Direction(prompts.Normal), Abnormal: Direction(abnormal));
        var logits = features.matmul(cat([anchors.Normal, abnormal.UnitLength(-1)], 0).t()).Times(scale);  // […, 1 + M]
        var contrastive = functional.log_softmax(logits, -1).select(-1, 0).mean().neg();
        // Summed over axis 1, which is that of channels for images and that of patches for patches: kept, for the published numbers were
        // trained so.
        Tensor Far(Tensor anchor) => features.Minus(anchor).Squared().sum(1);
        var triplet = Far(anchors.Normal).Minus(Far(anchors.Abnormal)).relu().mean();
        var means = (Handcrafted: prompts.Handcrafted.UnitLength(-1).mean([0]), Learned: prompts.Learned.UnitLength(-1).mean([0]));
        var alignment = means.Handcrafted.Minus(means.Learned).Squared().sum();
        var total = contrastive.Plus(triplet).Plus(alignment.Times(alignmentWeight));
        return new(logits, contrastive, triplet, alignment, total) { Anchors = anchors, Means = means };
    }
}
