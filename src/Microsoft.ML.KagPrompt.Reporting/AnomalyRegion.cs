namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// A connected part of an anomaly map above the threshold. Positions and sizes in pixels of the map, from its left upper corner.
/// </summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Width">Columns of the bounding box.</param>
/// <param name="Height">Rows of the bounding box.</param>
/// <param name="Area">Pixels above the threshold, at least 1.</param>
/// <param name="Peak">Its largest map value.</param>
/// <param name="PeakX">Column of that value; the first in reading order where several have it.</param>
/// <param name="PeakY">Row of that value.</param>
/// <param name="Probability">Chance, in 0..1, that the peak means a defect; NaN where it cannot be told.</param>
public sealed record AnomalyRegion(int Left, int Top, int Width, int Height, int Area, float Peak, int PeakX, int PeakY, float Probability);
