using System.Globalization;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Reads --ablate: T=1..6, k=1,10,20, gamma=0..0.5, gamma=0..0.5:0.05, contrast=0,0.4, modules.</summary>
internal static class AblationSyntax
{
    private const int MostValues = 100;
    private const string Prompt = "a prompt: --epochs, --initial or a backbone that brings one";

    /// <summary>What is varied around a run's own configuration.</summary>
    /// <param name="arguments">As the user wrote them.</param>
    /// <param name="own">The run's own.</param>
    /// <param name="trains">Whether prompts are trained (--epochs), and start alike whatever T is.</param>
    /// <param name="hasPrompt">Whether there is a prompt at all.</param>
    /// <exception cref="ArgumentException">Says what is expected.</exception>
    public static IReadOnlyList<Ablation> Read(IEnumerable<string> arguments, FewShotConfiguration own, bool trains, bool hasPrompt)
    {
        var ablations = arguments.Select(argument => Read(argument, own, trains, hasPrompt)).ToArray();
        return ablations.GroupBy(ablation => ablation.Name).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? throw new ArgumentException($"--ablate: expected '{twice.Key}' once, got it {twice.Count()} times.")
            : ablations;
    }

    private static Ablation Read(string argument, FewShotConfiguration own, bool trains, bool hasPrompt)
    {
        var (name, values) = argument.IndexOf('=') is var at and >= 0 ? (argument[..at], argument[(at + 1)..]) : (argument, null);
        return (name, values) switch
        {
            ("T", not null) => Require(trains, argument, "--epochs, as every T trains a prompt of its own, "
                + "and --from-scratch where the backbone brings a prompt, which was trained with one T",
                new Ablation("T", "graph iterations T",
                    Points(argument, values, 0, 64, whole: true, step: 1, value => own with { Iterations = (int)value }))),
            ("k", not null) => new Ablation("k", "largest map values averaged, k",
                Points(argument, values, 1, 224 * 224, whole: true, step: 1,
                    value => own with { Fusion = own.Fusion with { TopK = (int)value } })),
            ("contrast", not null) => new Ablation("contrast", "share of its surroundings taken off each map value",
                Points(argument, values, 0, 1, whole: false, step: 0.1m,
                    value => own with { Fusion = own.Fusion with { LocalContrast = (float)value } })),
            ("gamma", not null) => Require(hasPrompt, argument, Prompt, new Ablation("gamma", "weight of the prompt branch, γ",
                Points(argument, values, 0, 1, whole: false, step: 0.1m,
                    value => own with { Fusion = own.Fusion with { Gamma = (float)value } }))),
            ("modules", null) => Require(hasPrompt, argument, Prompt, new Ablation("modules", "modules", [.. Modules(own, trains)])),
            _ => throw new ArgumentException("--ablate: expected T=VALUES, k=VALUES, gamma=VALUES, contrast=VALUES or modules, "
                + $"got '{argument}'."),
        };
    }

    private static Ablation Require(bool holds, string argument, string what, Ablation ablation)
        => holds ? ablation : throw new ArgumentException($"--ablate {argument} needs {what}.");

    /// <summary>A prompt that was trained with the graph cannot show what one without it does, so those rows need training.</summary>
    private static IEnumerable<AblationPoint> Modules(FewShotConfiguration own, bool trains)
    {
        FewShotConfiguration With(ScoringBranches branches, int iterations) => new(iterations, own.Fusion with { Branches = branches });
        yield return new("memory bank", null, With(ScoringBranches.MemoryBank, own.Iterations));
        if (trains)
        {
            yield return new("prompt without graph", null, With(ScoringBranches.Prompt, 0));
        }

        yield return new("prompt", null, With(ScoringBranches.Prompt, own.Iterations));
        if (trains)
        {
            yield return new("memory bank + prompt without graph", null, With(ScoringBranches.Both, 0));
        }

        yield return new("memory bank + prompt", null, own);
    }

    /// <summary>
    /// Values and ranges between commas; a range may say its step after a colon. Decimal numbers, so that 0.1 three times is 0.3.
    /// </summary>
    private static AblationPoint[] Points(string argument, string values, decimal least, decimal most, bool whole, decimal step,
        Func<decimal, FewShotConfiguration> configuration)
    {
        var numbers = values.Split(',', StringSplitOptions.TrimEntries).SelectMany(part => Range(part, step)).Take(MostValues + 1)
            .Distinct().Order().ToArray();
        return numbers.Length is > 0 and <= MostValues
            && numbers.All(number => number >= least && number <= most && (!whole || number == decimal.Truncate(number)))
            ? [.. numbers.Select(number => new AblationPoint(number.ToString("0.####", CultureInfo.InvariantCulture), (double)number,
                configuration(number)))]
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"--ablate {argument}: expected 1 to {MostValues} {(whole ? "whole " : "")}numbers of {least} to {most} as 1,2,3 or 1..3 "
                    + $"or 1..3:{step}, got '{values}'."));
    }

    private static IEnumerable<decimal> Range(string part, decimal step)
    {
        var ends = part.Split("..");
        var limit = ends[^1].Split(':');
        if (!Number(ends[0], out var first)
            || !Number(ends.Length == 1 ? ends[0] : limit[0], out var last)
            || ends.Length > 2 || limit.Length > 2
            || (limit.Length == 2 && (ends.Length == 1 || !Number(limit[1], out step))) || step <= 0 || last < first)
        {
            // No value of any ablation.
            return [decimal.MinValue];
        }

        return Enumerable.Range(0, MostValues + 1).Select(i => first + (i * step)).TakeWhile(value => value <= last);
    }

    private static bool Number(string text, out decimal number)
        => decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number)
            && !Commands.Typed.HasLeadingZero(text);
}
