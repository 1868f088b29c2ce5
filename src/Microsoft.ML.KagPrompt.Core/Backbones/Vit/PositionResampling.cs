namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>How learned positions are brought to another grid than the one they were learned at; each family has its way.</summary>
internal enum PositionResampling
{
    /// <summary>Bicubic (a = −0.75), corners not aligned: ImageBind, CLIP in Hugging Face's names.</summary>
    Bicubic,

    /// <summary>Bicubic with antialiasing (a = −0.5): OpenCLIP; DINOv2 with registers.</summary>
    BicubicAntialias,

    /// <summary>Bicubic by the factor (side + 0.1) / learned side: DINOv2 without registers.</summary>
    BicubicOffset,
}
