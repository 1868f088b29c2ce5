namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>A reader, whole files for it, and how to damage them.</summary>
/// <param name="Name">What it reads.</param>
/// <param name="Mutated">A damaged input from random numbers; the same numbers give the same input.</param>
/// <param name="Read">Reads an input to its end, and lets go of what came of it.</param>
internal sealed record MutatedReader(string Name, Func<Random, byte[]> Mutated, Action<byte[]> Read)
{
    /// <summary>Whether the failure is one that this library promises. Others than its own are none of it.</summary>
    public Func<Exception, bool> IsPromised { get; init; } = fault => fault is KagPromptException;

    /// <summary>Of dear readings, every how many-th round has one.</summary>
    public int Every { get; init; } = 1;

    /// <summary>Longest text of an error, in bytes of UTF-8.</summary>
    public const int LongestMessage = 2048;

    /// <summary>Bytes one reading may take beyond what there was.</summary>
    public static long MostBytes(long input) => Math.Max(256L << 20, 10 * input);

    /// <summary>Which of the readers a number's input is for: all in turn, dear ones less often.</summary>
    public static MutatedReader At(IReadOnlyList<MutatedReader> readers, long number)
    {
        const int Rounds = 32;
        var turns = readers.Sum(reader => Rounds / reader.Every);
        var turn = number % turns;
        foreach (var reader in readers)
        {
            turn -= Rounds / reader.Every;
            if (turn < 0)
            {
                return reader;
            }
        }

        throw new InvalidOperationException("Some reader has a turn.");
    }

    /// <summary>Reads the input of a number; null where all is as promised, else what was not.</summary>
    public string? Try(int seed, long number)
    {
        var input = Input(seed, number);
        try
        {
            Read(input);
            return null;
        }
        catch (Exception fault) when (!IsPromised(fault))
        {
            return $"{Name} {number}: a foreign error escaped: {fault}";
        }
        catch (Exception fault)
        {
            var length = System.Text.Encoding.UTF8.GetByteCount(fault.Message);
            return length <= LongestMessage ? null : $"{Name} {number}: a message of {length} bytes: {fault.Message[..200]}…";
        }
    }

    /// <summary>The input of a number.</summary>
    public byte[] Input(int seed, long number) => Mutated(new Random(Mix(seed, number)));

    // HashCode.Combine is another in every process.
    private static int Mix(int seed, long number)
    {
        var x = unchecked(((ulong)(uint)seed << 40) + (ulong)number + 0x9E3779B97F4A7C15);
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        return (int)(x >> 33);
    }
}
