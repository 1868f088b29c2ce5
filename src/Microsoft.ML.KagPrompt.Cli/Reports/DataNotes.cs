using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Reports;

/// <summary>What a reader of figures must know of the data they rest on.</summary>
internal static class DataNotes
{
    /// <summary>Images for scoring that are also there for fitting.</summary>
    public static IEnumerable<string> Shared(IReadOnlyCollection<DatasetImage> all, string root)
        => IdenticalFiles.Warning(all, root) is { } shared ? [shared] : [];

    /// <summary>Photographs and masks that are of kinds that are not read, but for those that are there for fitting alone.</summary>
    public static IEnumerable<string> LeftOut(string data, string root)
    {
        var files = AnomalyDataset.LeftOut(data)
            .Where(file => !Path.GetRelativePath(data, file).Replace('\\', '/').Split('/').Contains("train")).ToArray();
        return files.Length > 0 ? [PhotographFiles.Describe(files, root)] : [];
    }
}
