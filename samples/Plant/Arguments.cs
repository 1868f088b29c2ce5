using System.Globalization;

namespace Plant;

/// <summary>What the command line says.</summary>
internal sealed record Arguments
{
    public int Seconds { get; init; } = 20;

    public int Lines { get; init; } = 6;

    public int Silos { get; init; } = 3;

    /// <summary>Pictures that are sent at once.</summary>
    public int Callers { get; init; } = 12;

    public string? Postgres { get; init; }

    /// <exception cref="ArgumentException">An option is unknown, or its value out of range.</exception>
    public static Arguments Parse(string[] args)
    {
        var found = new Arguments();
        for (var i = 0; i < args.Length; i += 2)
        {
            var text = args.ElementAtOrDefault(i + 1) ?? throw new ArgumentException($"{args[i]}: expected a value, got nothing.");
            int Number(int most) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
                ? number : throw new ArgumentException($"{args[i]}: expected 1 to {most}, got '{text}'.");
            found = args[i] switch
            {
                "--seconds" => found with { Seconds = Number(86_400) },
                "--lines" => found with { Lines = Number(1000) },
                "--silos" => found with { Silos = Number(20) },
                "--callers" => found with { Callers = Number(1000) },
                "--postgres" => found with { Postgres = text },
                _ => throw new ArgumentException($"Expected --seconds, --lines, --silos, --callers or --postgres, got '{args[i]}'."),
            };
        }

        return found;
    }
}
