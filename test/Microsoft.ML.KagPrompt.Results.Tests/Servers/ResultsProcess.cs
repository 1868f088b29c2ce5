using System.Diagnostics;

namespace Microsoft.ML.KagPrompt.Results.Tests.Servers;

/// <summary>The program that records in a process of its own.</summary>
internal static class ResultsProcess
{
    public static (Process Process, Task<string> Error) Start(params string[] arguments)
    {
        var built = new DirectoryInfo(AppContext.BaseDirectory);
        var tests = built.Parent!.Parent!.Parent!.Parent!.FullName;
        var program = Path.Combine(tests, "Microsoft.ML.KagPrompt.ResultsProcess", "bin", built.Parent.Name, built.Name, "Microsoft.ML.KagPrompt.ResultsProcess.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        return (process, process.StandardError.ReadToEndAsync());
    }
}
