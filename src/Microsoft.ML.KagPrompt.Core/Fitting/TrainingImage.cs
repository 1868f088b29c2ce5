using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt;

/// <summary>One image offered to fitting or adapting.</summary>
public sealed record TrainingImage
{
    /// <summary>The pixels, any size.</summary>
    public required PixelBuffer Image { get; init; }

    /// <summary>The product's name; prompts, memory bank and threshold are per class.</summary>
    public string ClassName { get; init; } = PromptEnsemble.DefaultClassName;

    /// <summary>True: a known defect, kept out of training and support and used for the threshold. Null: taken as normal.</summary>
    public bool? IsAnomalous { get; init; }

    /// <summary>Whether the row belongs to the memory bank. Null: no row is flagged, the library chooses.</summary>
    public bool? IsSupport { get; init; }

    /// <summary>Row number or path, for messages.</summary>
    public string Origin { get; init; } = "";
}
