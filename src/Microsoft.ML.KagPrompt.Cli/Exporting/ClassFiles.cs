namespace Microsoft.ML.KagPrompt.Cli.Exporting;

/// <summary>Where each class's file is written.</summary>
internal static class ClassFiles
{
    /// <summary>Files end at 255 bytes on most systems; letters may take three, and the name asked for and endings come beside.</summary>
    private const int Longest = 60;

    /// <summary>Of one class, the file asked for; of several, each one's name before its ending: part.NAME.onnx.</summary>
    public static IReadOnlyList<(string ClassName, string Path)> Assign(IReadOnlyList<string> classNames, string path)
    {
        if (classNames.Count == 1)
        {
            return [(classNames[0], path)];
        }

        var (taken, files) = (new HashSet<string>(StringComparer.OrdinalIgnoreCase), new List<(string, string)>());
        foreach (var className in classNames)
        {
            var safe = Safe(className);
            var name = safe;
            for (var i = 2; !taken.Add(name); i++)
            {
                name = $"{safe}~{i}";
            }

            files.Add((className, Path.ChangeExtension(path, $"{name}{Ending(path)}")));
        }

        return files;
    }

    private static string Ending(string path) => Path.GetExtension(path) is { Length: > 0 } ending ? ending : ".onnx";

    /// <summary>Letters, digits, - and _ stay; what may lead elsewhere, or is not a name on some system, does not.</summary>
    private static string Safe(string className)
    {
        var letters = className.Take(Longest).Select(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' ? letter : '_');
        return string.Concat(letters) is { Length: > 0 } name ? name : "_";
    }
}
