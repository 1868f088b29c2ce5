using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>An exported model in ONNX Runtime, on one thread.</summary>
internal sealed class OnnxRun : IDisposable
{
    private readonly InferenceSession session;

    public OnnxRun(KagPromptModel model, OnnxExportOptions? options = null) : this(Written(stream => model.ExportOnnx(stream, options)))
    {
    }

    public OnnxRun(byte[] bytes)
    {
        Bytes = bytes;
        using var settings = Settings();
        session = new InferenceSession(Bytes, settings);
    }

    public OnnxRun(string path)
    {
        Bytes = File.ReadAllBytes(path);
        using var settings = Settings();
        session = new InferenceSession(path, settings);
    }

    public byte[] Bytes { get; }

    public InferenceSession Session => session;

    public IReadOnlyDictionary<string, string> Metadata => session.ModelMetadata.CustomMetadataMap;

    /// <summary>Verdicts on images of one size.</summary>
    public IReadOnlyList<OnnxVerdict> Inspect(params IReadOnlyList<PixelBuffer> images)
    {
        var input = Metadata["kagprompt.input"] == "square" ? Planes(images) : Pixels(images);
        using var outputs = session.Run([input]);
        var (scores, maps) = (Floats("score"), Floats("anomaly_map"));
        var (probabilities, unlikeness) = (Floats("probability"), Floats("unlikeness"));
        var (anomalous, foreign) = (Marks("is_anomalous"), Marks("is_foreign"));
        var pixels = maps.Length / images.Count;
        return [.. images.Select((_, i) => new OnnxVerdict(scores[i], maps[(i * pixels)..((i + 1) * pixels)], probabilities[i], anomalous[i], unlikeness[i], foreign[i]))];

        float[] Floats(string name) => [.. outputs.First(output => output.Name == name).AsEnumerable<float>()];
        bool[] Marks(string name) => [.. outputs.First(output => output.Name == name).AsEnumerable<bool>()];
    }

    public void Dispose() => session.Dispose();

    public static byte[] Written(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }

    private static SessionOptions Settings() => new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };

    private static NamedOnnxValue Pixels(IReadOnlyList<PixelBuffer> images) => NamedOnnxValue.CreateFromTensor("image",
        new DenseTensor<byte>(images.SelectMany(image => image.Rgb).ToArray(), [images.Count, images[0].Height, images[0].Width, 3]));

    private static NamedOnnxValue Planes(IReadOnlyList<PixelBuffer> images)
    {
        var plane = images[0].Width * images[0].Height;
        var values = images.SelectMany(image => Enumerable.Range(0, 3).SelectMany(c => Enumerable.Range(0, plane).Select(p => (float)image.Rgb[(3 * p) + c]))).ToArray();
        return NamedOnnxValue.CreateFromTensor("image", new DenseTensor<float>(values, [images.Count, 3, images[0].Height, images[0].Width]));
    }
}

internal sealed record OnnxVerdict(float Score, float[] Map, float Probability, bool IsAnomalous, float Unlikeness, bool IsForeign);
