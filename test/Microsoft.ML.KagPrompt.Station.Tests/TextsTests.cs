using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Microsoft.ML.KagPrompt.Station.Tests;

public sealed partial class TextsTests
{
    private static readonly string Source = Path.Combine(RunningStation.Root, "src", "Microsoft.ML.KagPrompt.Station");

    [Fact]
    public void German_HasEveryTextOfThePages_AndTheSamePlaces()
    {
        var german = XDocument.Load(Path.Combine(Source, "Texts.de.resx")).Root!.Elements("data")
            .ToDictionary(data => data.Attribute("name")!.Value, data => data.Element("value")!.Value);
        var used = Directory.GetFiles(Path.Combine(Source), "*.*", SearchOption.AllDirectories)
            .Where(file => (file.EndsWith(".razor", StringComparison.Ordinal) || file.EndsWith(".cs", StringComparison.Ordinal))
                && !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file => Text().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToHashSet();
        used.Should().HaveCountGreaterThan(30, "or nothing was looked at");
        used.Except(german.Keys).Should().BeEmpty();
        german.Where(entry => !Places(entry.Key).SetEquals(Places(entry.Value))).Select(entry => entry.Key).Should().BeEmpty();
    }

    private static HashSet<string> Places(string text) => [.. Place().Matches(text).Select(match => match.Value)];

    [GeneratedRegex("\\b(?:T|texts|Texts>>\\(\\))\\[\"([^\"]+)\"")]
    private static partial Regex Text();

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Place();
}
