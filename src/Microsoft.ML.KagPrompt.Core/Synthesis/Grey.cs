namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Brightness by the Rec. 601 weights.</summary>
internal static class Grey
{
    public static double Of(byte[] rgb, int pixel) => (0.299 * rgb[3 * pixel]) + (0.587 * rgb[(3 * pixel) + 1]) + (0.114 * rgb[(3 * pixel) + 2]);
}
