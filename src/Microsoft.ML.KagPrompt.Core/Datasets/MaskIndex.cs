namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>
/// Finds masks by name, in capitals or small letters as cameras and Windows tools write them. Each folder is listed once.
/// </summary>
internal sealed class MaskIndex
{
    private readonly Dictionary<string, ILookup<string, string>> folders = [];

    /// <summary>An image of a name in a folder, whatever its extension: the first of the suffixes that there is.</summary>
    public string? Find(string folder, string stem, params string[] suffixes)
    {
        if (!folders.TryGetValue(folder, out var files))
        {
            folders[folder] = files = ImageFiles.List(folder).ToLookup(Path.GetFileNameWithoutExtension, StringComparer.OrdinalIgnoreCase)!;
        }

        int RankOf(string file) => ImageFiles.Extensions.ToList()
            .FindIndex(extension => extension.Equals(Path.GetExtension(file), StringComparison.OrdinalIgnoreCase));

        return suffixes
            .Select(suffix => stem + suffix)
            .Select(name => files[name]
                .OrderByDescending(file => Path.GetFileNameWithoutExtension(file) == name)
                .ThenBy(RankOf)
                .FirstOrDefault())
            .FirstOrDefault(found => found is not null);
    }
}
