using System.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>A small, fixed share of what ./build.sh soak reads: pictures, and this library's part of ML.NET's model zip.</summary>
public sealed class MutatedReadersTests
{
    private const int Seed = 12;

    [Fact]
    public void Zips_Mutated_LetOnlyOurErrorsEscape()
        => LayerReaders.Zips().SelectMany(reader => Enumerable.Range(0, 400 / reader.Every).Select(number => reader.Try(Seed, number)))
            .Where(fault => fault is not null).Should().BeEmpty();

    /// <summary>Decoders are native: a fault of theirs would take the tests along, so they run in a process of their own.</summary>
    [Fact]
    public void Pictures_Mutated_LetOnlyOurErrorsEscapeAndNoProcessEnds()
    {
        const int Readings = 3000;
        var program = typeof(MutatedReadersTests).Assembly.Location.Replace("Microsoft.ML.KagPrompt.Tests", "Microsoft.ML.KagPrompt.Soak", StringComparison.Ordinal);
        var tally = Path.GetTempFileName();
        try
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", program, "mutate", "pictures", $"{Seed}", "0", $"{Readings}", tally])
            {
                RedirectStandardOutput = true,
            })!;
            var said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            process.ExitCode.Should().Be(0, said);
            var counted = File.ReadAllBytes(tally);
            BitConverter.ToInt64(counted).Should().Be(Readings, "all were read");
            BitConverter.ToInt64(counted, sizeof(long)).Should().Be(0, said);
        }
        finally
        {
            File.Delete(tally);
        }
    }
}
