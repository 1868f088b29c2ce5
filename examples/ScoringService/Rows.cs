using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace ScoringService;

/// <summary>What goes into an engine: the columns Image and ClassName.</summary>
internal sealed class Photograph(byte[] file, string className)
{
    public Photograph() : this([], "") { }

    /// <summary>
    /// Decoded when the model reads it, which disposes it and says what is wrong with a file that is no image.
    /// The size is nominal: the model takes any.
    /// </summary>
    [ImageType(224, 224)]
    public MLImage Image
    {
        get => MLImage.CreateFromStream(new MemoryStream(file));
        set => throw new NotSupportedException("ML.NET asks for a setter, and does not call it for input rows.");
    }

    public string ClassName { get; set; } = className;
}

/// <summary>What comes out of an engine.</summary>
internal sealed class Prediction
{
    public float Score { get; set; }

    public float Probability { get; set; }

    public bool PredictedLabel { get; set; }

    public bool IsForeign { get; set; }
}

/// <summary>
/// The answer to POST /score. Null: cannot be told. A foreign image is unlike every support image: anomalous, whatever its score.
/// </summary>
internal sealed record Verdict(float Score, float? Probability, bool IsAnomalous, float? Threshold, bool IsForeign);
