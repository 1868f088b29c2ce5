using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt;

/// <summary>Sentences that call a product sound, and sentences that call it defective; "{}" stands for its name. Each group is encoded and averaged.</summary>
/// <param name="Normal">1 to 1000 sentences of 1 to 1000 characters.</param>
/// <param name="Abnormal">As many.</param>
public sealed record PromptEnsemble(IReadOnlyList<string> Normal, IReadOnlyList<string> Abnormal)
{
    /// <summary>The product's name where none is given.</summary>
    public const string DefaultClassName = "object";

    private const int Most = 1000;

    /// <summary>The paper's: fourteen normal and ten abnormal sentences.</summary>
    /// <exception cref="ArgumentException">The name is empty or longer than 200 characters.</exception>
    public static PromptEnsemble Paper(string className) => new(PromptSentences.Normal(className), PromptSentences.Abnormal(className));

    /// <summary>With the product's name in its place; underscores become spaces.</summary>
    public PromptEnsemble For(string className)
    {
        var name = className.Replace('_', ' ').Trim();
        return new([.. Normal.Select(sentence => sentence.Replace("{}", name))], [.. Abnormal.Select(sentence => sentence.Replace("{}", name))]);
    }

    /// <summary>The faults of a method's own sentences by class name.</summary>
    internal static void CollectFaults(OptionFaults faults, IReadOnlyDictionary<string, PromptEnsemble>? own, string option)
    {
        faults.Require(own is not null, option, "sentences by class name", own);
        foreach (var (name, ensemble) in own ?? new Dictionary<string, PromptEnsemble>())
        {
            faults.Require(ensemble is not null, $"{option}['{name}']", "an ensemble", ensemble);
            ensemble?.CollectFaults(faults, $"{option}['{name}']");
        }
    }

    internal void CollectFaults(OptionFaults faults, string where)
    {
        foreach (var (group, sentences) in new[] { (nameof(Normal), Normal), (nameof(Abnormal), Abnormal) })
        {
            faults.Require(sentences is { Count: >= 1 and <= Most }, $"{where}.{group}", $"1 to {Most} sentences", sentences?.Count)
                .Require(sentences?.All(sentence => !string.IsNullOrWhiteSpace(sentence) && sentence.Length <= Most) != false, $"{where}.{group}", $"sentences of 1 to {Most} characters, none blank", "another");
        }
    }
}
