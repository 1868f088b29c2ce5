using System.Diagnostics;
using System.Reflection;

namespace Microsoft.ML.KagPrompt.Packaging.Tests;

/// <summary>A folder of the libraries' packages, packed of what is built; once for all tests.</summary>
public sealed class PackedFeed : IDisposable
{
    private static readonly string[] Libraries =
    [
        "Primitives", "Imaging", "Reporting", "Columns", "Onnx", "Core", "Hosting", "Results", "Results.AspNetCore", "Orleans",
    ];

    public PackedFeed()
    {
        foreach (var library in Libraries.Select(name => $"Microsoft.ML.KagPrompt.{name}").Append("Microsoft.ML.KagPrompt"))
        {
            Dotnet(Folder, "pack", Path.Combine(Metadata("Sources"), library), "--no-build", "-c", Metadata("Configuration"), "-o", Folder,
                "-nologo", "-v", "quiet");
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("kagprompt-feed-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>What the project tells its tests.</summary>
    internal static string Metadata(string key)
        => typeof(PackedFeed).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    /// <summary>Runs dotnet in a folder; the lines it wrote.</summary>
    internal static string[] Dotnet(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment.Remove("NUGET_PACKAGES");
        // What the runner sets for its own build must not steer these.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0, "dotnet {0} should succeed, but said: {1}{2}", string.Join(' ', arguments), output, error.Result);
        return output.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
    }
}
