using System.Diagnostics;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>
/// What fits, one after the other, and the models they make have in common: towers, read once, and features of images, computed once.
/// </summary>
internal sealed class FitSharing(long mostFeatureBytes) : IDisposable
{
    private readonly Dictionary<string, (Shared<NetworkTower> Tower, TimeSpan Time)> towers = [];
    private readonly Dictionary<string, (Shared<TextSide> Text, TimeSpan Time)> texts = [];
    private TimeSpan loading;

    /// <summary>What the towers made of images.</summary>
    public FeatureStore Features { get; } = new(mostFeatureBytes);

    /// <summary>How much longer it all would have taken alone.</summary>
    public TimeSpan TimeSaved => Features.TimeSaved + loading;

    /// <summary>An ownership of a tower: read now, or before.</summary>
    public Shared<NetworkTower> Tower(string name, IReadOnlyList<int>? taps, BackboneOptions options, torch.Device device,
        Func<NetworkTower> load)
        => Find(towers, $"{Key(name, options, device)}, {(taps is null ? "own taps" : string.Join(' ', taps))}", load);

    /// <summary>An ownership of a backbone's text side: read now, or before.</summary>
    public Shared<TextSide> Text(BackboneOptions options, torch.Device device, Func<TextSide> load)
        => Find(texts, Key(options.Name, options, device), load);

    public void Dispose()
    {
        Features.Dispose();
        foreach (var (tower, _) in towers.Values)
        {
            tower.Release();
        }

        foreach (var (text, _) in texts.Values)
        {
            text.Release();
        }

        towers.Clear();
        texts.Clear();
    }

    private static string Key(string name, BackboneOptions options, torch.Device device)
        => $"{name}, {string.Join('|', options.Folders)}, {options.Precision}, {options.Storage}, {device}";

    private Shared<T> Find<T>(Dictionary<string, (Shared<T> Value, TimeSpan Time)> known, string key, Func<T> load)
        where T : class, IDisposable
    {
        if (known.TryGetValue(key, out var before))
        {
            loading += before.Time;
            return before.Value.Acquire();
        }

        var watch = Stopwatch.StartNew();
        var loaded = new Shared<T>(load());
        known.Add(key, (loaded, watch.Elapsed));
        return loaded.Acquire();
    }
}
