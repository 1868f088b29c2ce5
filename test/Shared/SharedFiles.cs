using System.Runtime.CompilerServices;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>The one place where tests look for golden files, real photographs and weights; absent ones skip the test, saying why.</summary>
internal static class SharedFiles
{
    /// <summary>Folder that holds the solution file.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    private static string SharedRoot => Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared"));

    /// <summary>A golden file: KAG_GOLDEN's folder where set, else ../shared/golden, else the fixtures in the repository.</summary>
    public static string Golden(string fileName)
    {
        var configured = Environment.GetEnvironmentVariable("KAG_GOLDEN");
        var folder = string.IsNullOrEmpty(configured) ? Path.Combine(SharedRoot, "golden") : configured;
        var path = Path.Combine(folder, fileName);
        if (!File.Exists(path) && string.IsNullOrEmpty(configured))
        {
            path = Path.Combine(AppContext.BaseDirectory, "Fixtures", fileName);
        }

        Skip.IfNot(File.Exists(path), $"golden file {fileName} is not in {folder} (set KAG_GOLDEN to the folder that holds it)");
        return path;
    }

    /// <summary>
    /// A golden file of another method: in the folder "methods" of the golden files, or, where KAG_GOLDEN is set, in that folder itself.
    /// </summary>
    public static string MethodGolden(string fileName)
    {
        var configured = Environment.GetEnvironmentVariable("KAG_GOLDEN");
        return Golden(!string.IsNullOrEmpty(configured) && File.Exists(Path.Combine(configured, fileName))
            ? fileName
            : Path.Combine("methods", fileName));
    }

    /// <summary>A weights file: KAG_WEIGHTS' folder where set, else ../shared/weights.</summary>
    public static string Weights(string fileName)
    {
        var folder = Environment.GetEnvironmentVariable("KAG_WEIGHTS") is { Length: > 0 } configured
            ? configured
            : Path.Combine(SharedRoot, "weights");
        var path = Path.Combine(folder, fileName);
        Skip.IfNot(File.Exists(path), $"weights file {fileName} is not in {folder} (set KAG_WEIGHTS to the folder that holds it)");
        return path;
    }

    /// <summary>A data set's folder: under KAG_DATA where set, else ../shared/data.</summary>
    public static string Data(string name)
    {
        var folder = Environment.GetEnvironmentVariable("KAG_DATA") is { Length: > 0 } configured
            ? configured
            : Path.Combine(SharedRoot, "data");
        var path = Path.Combine(folder, name);
        Skip.IfNot(Directory.Exists(path), $"data set {name} is not in {folder} (set KAG_DATA to the folder that holds it)");
        return path;
    }

    private static string FindRoot([CallerFilePath] string source = "")
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Microsoft.ML.KagPrompt.sln")))
            {
                return folder.FullName;
            }
        }

        return Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", ".."));
    }
}
