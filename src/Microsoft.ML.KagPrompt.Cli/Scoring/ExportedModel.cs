using System.Globalization;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>An exported file that scores.</summary>
internal sealed class ExportedModel : IScoringModel
{
    private readonly OnnxInspector inspector;

    private ExportedModel(OnnxInspector inspector) => this.inspector = inspector;

    public IReadOnlyCollection<string> ClassNames => [inspector.Info.ClassName];

    public ImageOptions Images => new() { ResizeMode = inspector.Info.ResizeMode, Orientation = inspector.Info.Orientation };

    public int MapSize => inspector.Info.ImageSize;

    public int BatchSize => 8;

    /// <summary>Whether a file is called as exported ones are.</summary>
    public static bool IsOne(string path) => Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <param name="path">What 'kagprompt export' wrote.</param>
    /// <param name="device">"auto" and "cpu": the processor; "cuda:N": a GPU.</param>
    /// <param name="threshold">Decides instead of the file's own; null: it decides.</param>
    public static ExportedModel Load(string path, string device, float? threshold = null)
    {
        var inspector = OnnxInspector.Load(path, OptionsFor(device));
        if (threshold is not { } value)
        {
            return new(inspector);
        }

        using (inspector)
        {
            return new(inspector.WithThreshold(value));
        }
    }

    /// <summary>Which provider computes where a device is named.</summary>
    public static OnnxInspectorOptions OptionsFor(string device) => !device.StartsWith("cuda", StringComparison.Ordinal) ? new() : new()
    {
        Provider = OnnxProvider.Cuda,
        DeviceId = device == "cuda" ? 0 : int.Parse(device.AsSpan("cuda:".Length), NumberStyles.None, CultureInfo.InvariantCulture),
    };

    /// <summary>As the file's own region says: <see cref="OnnxModelInfo.RequireFit"/>.</summary>
    public void RequireFit(string className, int width, int height, string origin) => inspector.Info.RequireFit(width, height, origin);

    public IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames)
        => inspector.InspectSquares(images);

    public float[] MapToImage(float[] map, int width, int height) => inspector.MapToImage(map, width, height);

    public ThresholdCalibration Calibration(string? className) => inspector.Info.Calibration;

    public void Dispose() => inspector.Dispose();
}
