using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A vision tower in use, and where it came from. Owns the tower.</summary>
/// <param name="name">Preset or family and sizes.</param>
/// <param name="tower">The tower.</param>
/// <param name="reference">The file it is in, where models refer to it; null where they embed it.</param>
/// <param name="location">Directory or file it was read from on this machine; null where a model embeds it.</param>
internal sealed class NetworkTower(string name, IVisionTower tower, VisionReference? reference, string? location) : IDisposable
{
    /// <summary>Larger towers (in 16 bit) are referred to unless the options say otherwise.</summary>
    private const long LargestEmbedded = 64L << 20;

    public string Name => name;

    public IVisionTower Tower => tower;

    public VisionReference? Reference => reference;

    public string? Location => location;

    /// <summary>Weights of methods that come with the backbone.</summary>
    public IReadOnlyList<PretrainedHead> Heads { get; init; } = [];

    /// <summary>
    /// Reads a source's tower. One that will be embedded, in 16 bit, is rounded to that now:
    /// a saved model scores as the one that was fitted.
    /// </summary>
    /// <param name="source">The backbone.</param>
    /// <param name="options">Precision and storage.</param>
    /// <param name="taps">Tapped blocks, counted from 1; null: the backbone's own.</param>
    /// <param name="device">Where the tower computes.</param>
    public static NetworkTower Load(IBackboneSource source, BackboneOptions options, IReadOnlyList<int>? taps, torch.Device device)
    {
        var embed = source.Location is null || options.Storage == BackboneStorage.Embed
            || (options.Storage == BackboneStorage.Auto && source.VisionValues * 2 <= LargestEmbedded);
        var reference = embed ? null : source.Reference();
        var tower = source.LoadVision(options.Precision.Type(device), roundToHalf: embed, taps);
        try
        {
            tower.MoveTo(device);
            return new NetworkTower(source.Name, tower, reference, source.Location) { Heads = source.Heads };
        }
        catch
        {
            tower.Dispose();
            throw;
        }
    }

    public void Dispose() => tower.Dispose();
}
