namespace Microsoft.ML.KagPrompt;

/// <summary>
/// An image's score and map under one way to put the branches together. There is no verdict:
/// the class's threshold belongs to the model's own way.
/// </summary>
/// <param name="Score">s of equation (16): higher is more anomalous. Comparable between images of one model, class and fusion.</param>
/// <param name="Map">M of equation (14), row by row, S × S values; NaN outside the class's region.</param>
public sealed record FusedInspection(float Score, float[] Map);
