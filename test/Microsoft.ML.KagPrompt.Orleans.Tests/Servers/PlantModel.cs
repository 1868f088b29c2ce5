namespace Microsoft.ML.KagPrompt.Orleans.Tests.Servers;

/// <summary>A model whose score is the first byte of the picture, above 100 defective; it may take its time, or wait for the test.</summary>
internal sealed class PlantModel(Pace pace) : IInspectionModel
{
    public const int Side = 8;

    public string ClassName => "object";

    public ImageOptions Images { get; } = new() { Size = Side };

    public int ConcurrentBatches => 1;

    public PixelBuffer ToModelSize(PixelBuffer image) => new(Side, Side, [.. Enumerable.Repeat(image.Rgb[0], 3 * Side * Side)]);

    public async Task<IReadOnlyList<Inspection>> InspectAsync(IReadOnlyList<PixelBuffer> images, CancellationToken cancellationToken)
    {
        await Task.Delay(pace.Time, cancellationToken);
        await pace.Gate.WaitAsync(cancellationToken);
        return [.. images.Select(image => new Inspection(image.Rgb[0], image.Rgb[0] > 100, 100, 0.5f, new float[Side * Side], Side, Side))];
    }

    public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => new float[width * height];

    public void Dispose()
    {
    }
}

/// <summary>How fast the models of a silo are.</summary>
internal sealed class Pace
{
    private volatile TaskCompletionSource gate = Open();

    public TimeSpan Time { get; init; } = TimeSpan.FromMilliseconds(2);

    public Task Gate => gate.Task;

    public void Hold() => gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => gate.TrySetResult();

    private static TaskCompletionSource Open()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }
}

/// <summary>Files "PLANT".</summary>
internal sealed class PlantLoader(Pace pace) : IInspectionModelLoader
{
    public bool Reads(ReadOnlySpan<byte> head) => head.StartsWith("PLANT"u8);

    public IReadOnlyList<string> ClassNames(string path) => ["object"];

    public IInspectionModel Load(string path, string? className = null) => new PlantModel(pace);
}
