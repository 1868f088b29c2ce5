namespace Microsoft.ML.KagPrompt;

/// <summary>Which features the memory bank of normal patches holds.</summary>
public enum MemoryFeatures
{
    /// <summary>The backbone's patch tokens P_i (the paper's text and the released code). The default.</summary>
    Patch,

    /// <summary>The graph's outputs O_i (the letter of the paper's equation 13).</summary>
    Graph,
}
