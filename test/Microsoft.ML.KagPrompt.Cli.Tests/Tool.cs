using System.Diagnostics;
using System.Reflection;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>
/// The tool. Run from its entry point here, which spares a process its start; as a process of its own where a test is about one:
/// standard input, signals, kills, the environment, the folder it stands in.
/// </summary>
internal static class Tool
{
    private static readonly MethodInfo Main = Assembly.Load("kagprompt").EntryPoint!;

    private static readonly string Program = Path.Combine(SharedFiles.RepositoryRoot, "src", "Microsoft.ML.KagPrompt.Cli", "bin",
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, new DirectoryInfo(AppContext.BaseDirectory).Name, "kagprompt.dll");

    /// <summary>Runs its whole program here, to its end.</summary>
    public static (int Code, string Output, string Error) Run(params string[] arguments)
        => FlowConsole.Capture(() => (int)Main.Invoke(null, [arguments])!);

    /// <summary>Runs it on a standard input.</summary>
    public static (int Code, string Output, string Error) RunWith(byte[] input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", Program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts it with a standard input that stays open, and variables of the environment.</summary>
    public static Process Open(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public static Process Start(params string[] arguments)
        => Process.Start(new ProcessStartInfo("dotnet", ["exec", Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    public static Process StartIn(string folder, params string[] arguments)
        => Process.Start(new ProcessStartInfo("dotnet", ["exec", Program, .. arguments]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
}
