using Microsoft.ML.KagPrompt.Methods.Common;

namespace Microsoft.ML.KagPrompt;

/// <summary>Which branches a score is made of.</summary>
public enum ScoringBranches
{
    /// <summary>All there are: prompt and memory bank, or the bank alone where no prompt is trained. The default.</summary>
    Both,

    /// <summary>The memory bank alone: M = M_v, s = the mean of its largest values.</summary>
    MemoryBank,

    /// <summary>The prompt alone, as without any support image (zero-shot): M = M_p in equations (14) and (16).</summary>
    Prompt,
}
