using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>The towers of one fit: those of the model that it starts from, else read once, however many encoders try them.</summary>
/// <param name="options">Which.</param>
/// <param name="device">Where.</param>
/// <param name="initial">Of a model to start from; null: there is none.</param>
/// <param name="sharing">What other fits have, too; null: there are none.</param>
internal sealed class FitTowers(BackboneOptions options, torch.Device device, FeatureEncoder? initial, FitSharing? sharing = null)
    : IDisposable
{
    private Shared<NetworkTower>? vision;
    private Shared<NetworkTower>? memory;

    /// <summary>An encoder on these towers; the caller owns it, and its share of them.</summary>
    /// <exception cref="ArgumentException">The images' side is no multiple of a patch size.</exception>
    public FeatureEncoder Encoder(ImageOptions images)
    {
        vision ??= initial?.Vision.Acquire() ?? Load(options.Name, options.Taps);
        memory ??= options.MemoryName is { } name ? initial?.Memory?.Acquire() ?? Load(name, options.MemoryTaps) : null;
        var (main, own) = (vision.Acquire(), memory?.Acquire());
        try
        {
            return new FeatureEncoder(main, own, images, device, sharing?.Features);
        }
        catch
        {
            own?.Release();
            main.Release();
            throw;
        }
    }

    public void Dispose()
    {
        memory?.Release();
        vision?.Release();
    }

    private Shared<NetworkTower> Load(string name, IReadOnlyList<int>? taps)
    {
        return sharing?.Tower(name, taps, options, device, Read) ?? new(Read());

        NetworkTower Read() => NetworkTower.Load(BackboneSources.Open(name, options.Folders), options, taps, device);
    }
}
