using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>All readers, and how many of a thousand mutations each gets.</summary>
internal static class Readers
{
    /// <summary>Groups, each a process of its own; their readers take turns.</summary>
    public static readonly (string Name, int Share, Func<string, IEnumerable<MutatedReader>> Make)[] Groups =
    [
        ("weights", 440, WeightReaders.All),
        ("tables", 280, TableReaders.All),
        ("pictures", 200, _ => LayerReaders.Pictures()),
        ("zips", 40, _ => LayerReaders.Zips()),
        ("onnx", 40, _ => OnnxReaders.All()),
    ];
}
