using System.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Examples.Tests;

/// <summary>An example as a process of its own, as users start it.</summary>
internal static class Example
{
    /// <summary>Runs it to its end.</summary>
    public static (int Code, string Output, string Error) Run(string name, params string[] arguments)
    {
        using var process = Start(name, arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>Runs it as the pages say, from its sources, called in a folder: what it writes to the error stream.</summary>
    public static string RunFromSources(string name, string folder, params string[] arguments)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var project = Path.Combine(SharedFiles.RepositoryRoot, "examples", name);
        string[] run = ["run", "--no-build", "-c", configuration, "--project", project, "--", .. arguments];
        using var process = Process.Start(new ProcessStartInfo("dotnet", run) { RedirectStandardError = true, WorkingDirectory = folder })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return error;
    }

    public static Process Start(string name, params string[] arguments)
    {
        // Where it was built beside these tests: the same configuration and framework.
        var built = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(SharedFiles.RepositoryRoot, "examples", name, "bin", built.Parent!.Name, built.Name, $"{name}.dll");
        return Process.Start(new ProcessStartInfo("dotnet", ["exec", program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
