using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Backbones.Residual;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// Finds the backbone an option names: the embedded one, a directory, a file, or a directory of that name on the search path.
/// </summary>
internal static class BackboneSources
{
    /// <summary>The small backbone with a text side that is embedded in the library.</summary>
    public const string Compact = "compact";

    /// <summary>The ImageNet network that is embedded in the library.</summary>
    public const string ResNet18 = "resnet18";

    private static readonly IReadOnlyDictionary<string, IEmbeddedBackbone> Embedded = new Dictionary<string, IEmbeddedBackbone>
    {
        [Compact] = CompactBackbone.Embedded,
        [ResNet18] = ResNet18Backbone.Embedded,
    };

    /// <exception cref="ArgumentException">There is no such backbone; the message says where it looked.</exception>
    public static IBackboneSource Open(string name, IReadOnlyList<string> folders)
    {
        if (Embedded.TryGetValue(name, out var inside))
        {
            return inside;
        }

        var search = BackboneSearch.Folders(folders);
        string[] candidates = [name, .. search.Select(folder => Path.Combine(folder, name))];
        foreach (var candidate in candidates)
        {
            if (File.Exists(candidate))
            {
                return OpenFile(candidate);
            }

            if (Directory.Exists(candidate))
            {
                return ConvertedBackbone.IsOne(candidate)
                    ? ConvertedBackbone.Open(candidate)
                    : OpenFile(PublishedBackbone.FileIn(candidate));
            }
        }

        throw new ArgumentException($"Backbone: expected {string.Join(" or ", Embedded.Keys.Select(key => $"'{key}'"))}, a directory that "
            + $"BackboneConverter made, a published checkpoint's file or directory, or the name of one on the search path, got '{name}'. "
            + $"Looked at {string.Join(", ", candidates.Select(candidate => $"'{Path.GetFullPath(candidate)}'"))}. "
            + "Other weights do not come with this library: docs/how-to/backbones.md says where they are.");
    }

    private static IBackboneSource OpenFile(string path) => ResNetCheckpoint.Find(path) ?? (IBackboneSource)PublishedBackbone.Open(path);
}
