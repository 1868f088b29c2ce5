using System.CommandLine;
using System.CommandLine.Parsing;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>--method: which method, and which of the other options say nothing to it.</summary>
internal static class MethodOption
{
    /// <summary>KAG-prompt's name.</summary>
    public static string Kag { get; } = InspectionMethods.NameOf(new KagOptions());

    private static string Known => string.Join(", ", InspectionMethods.Names);

    /// <summary>One method.</summary>
    public static Option<string> Create() => new("--method")
    {
        Description = $"The method: {Known}. Others than {Kag} are for comparison.",
        DefaultValueFactory = _ => Kag,
        CustomParser = result => Parse(result) is [.., var last] ? last : Kag,
    };

    /// <summary>One or several, each evaluated in turn.</summary>
    public static Option<string[]> CreateList() => new("--method")
    {
        Description = $"One or more methods between commas: {Known}. Each is evaluated, by the same draws. [default: {Kag}]",
        CustomParser = Parse,
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>Those that are compared; none given: all.</summary>
    public static Option<string[]> CreateComparison() => new("--methods")
    {
        Description = $"The methods that are compared, between commas: {Known}. [default: all that the backbone allows]",
        CustomParser = Parse,
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>Refuses options that are given and say nothing to any chosen method.</summary>
    /// <param name="command">The command.</param>
    /// <param name="method">Its --method.</param>
    /// <param name="takers">The methods that the options are for.</param>
    /// <param name="options">The options.</param>
    public static void RefuseForOthers(this Verb command, Option method, IReadOnlyList<string> takers, params Option[] options)
        => command.Validators.Add(result =>
    {
        var chosen = Chosen(result, method);
        if (chosen.Length > 0 && !chosen.Intersect(takers).Any())
        {
            var known = takers is [var only] ? $"{only} alone" : $"{string.Join(", ", takers.SkipLast(1))} or {takers[^1]}";
            foreach (var option in options.Where(option => result.GetResult(option) is { Implicit: false } && !IsRefused(result, option)))
            {
                result.AddError($"{option.Name} is for --method {known}, and not for {string.Join(", ", chosen)}. Leave it out.");
            }
        }
    });

    /// <summary>The methods that were typed, whether or not they are any: where one is not, there is no value to ask for.</summary>
    public static string[] Chosen(CommandResult result, Option method)
        => result.GetResult(method) is { Implicit: false } given ? Names(given.Tokens) : [Kag];

    /// <summary>Whether another rule has refused it before: one reason is enough.</summary>
    private static bool IsRefused(CommandResult result, Option option)
        => result.Errors.Any(error => error.Message.StartsWith(option.Name + " ", StringComparison.Ordinal));

    private static string[] Names(IEnumerable<Token> tokens)
        => [.. tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Distinct()];

    private static string[] Parse(ArgumentResult result)
    {
        var names = Names(result.Tokens);
        if (names.Length == 0 || names.FirstOrDefault(name => !InspectionMethods.Names.Contains(name)) is not null)
        {
            var option = result.Parent is OptionResult parent ? parent.Option.Name : "--method";
            var expected = result.Argument.Arity.MaximumNumberOfValues > 1 ? "names between commas" : "one";
            result.AddError($"{option}: expected {expected} of {Known}, "
                + $"got '{string.Join(',', result.Tokens.Select(token => token.Value))}'.");
            return [];
        }

        return names;
    }
}
