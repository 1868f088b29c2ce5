using System.Text.Json;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.VisualBasic.FileIO;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>Rows of a CSV file with a header, or of a file of JSON objects, one a line.</summary>
internal static class TableReader
{
    public static IEnumerable<TableRow> Read(string path)
        => Path.GetExtension(path).Equals(".jsonl", StringComparison.OrdinalIgnoreCase) ? JsonLines(path) : Csv(path);

    private static IEnumerable<TableRow> Csv(string path)
    {
        var (delimiter, skipped) = DelimiterOf(path);
        using var parser = new TextFieldParser(path)
        {
            TextFieldType = FieldType.Delimited,
            Delimiters = [delimiter],
            HasFieldsEnclosedInQuotes = true,
            TrimWhiteSpace = true,
        };
        // Lines before it may be empty.
        while (skipped && parser.ReadLine() is { Length: 0 })
        {
        }

        var header = Fields(parser, path) ?? throw new InsufficientDataException($"{path} is empty: expected a header and rows.");
        while (true)
        {
            var number = parser.LineNumber;
            if (Fields(parser, path) is not { } fields)
            {
                yield break;
            }

            yield return fields.Length == header.Length
                ? new TableRow(path, number, header.Zip(fields)
                    .DistinctBy(pair => pair.First.ToLowerInvariant())
                    .ToDictionary(pair => pair.First.ToLowerInvariant(), pair => pair.Second))
                : throw new InsufficientDataException($"{path}, line {number}: expected {header.Length} fields as in the header, "
                    + $"between '{(delimiter == "\t" ? "tab" : delimiter)}', got {fields.Length}.");
        }
    }

    /// <summary>
    /// Comma, semicolon (as spreadsheets write where a comma is in numbers) or tab: of which there are most in the header, outside quotes.
    /// True: a spreadsheet's line "sep=…" comes before it.
    /// </summary>
    private static (string Delimiter, bool Skipped) DelimiterOf(string path)
    {
        var first = File.ReadLines(path).FirstOrDefault(line => line.Length > 0) ?? "";
        if (first.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && first.Length == 5)
        {
            return (first[4..], true);
        }

        var plain = string.Concat(first.Split('"').Where((_, i) => i % 2 == 0));
        return (new[] { ",", ";", "\t" }.MaxBy(delimiter => plain.Count(character => character == delimiter[0]))!, false);
    }

    private static string[]? Fields(TextFieldParser parser, string path)
    {
        try
        {
            return parser.ReadFields();
        }
        catch (MalformedLineException fault)
        {
            throw new InsufficientDataException($"{path}, line {parser.ErrorLineNumber}: "
                + $"expected fields between commas, semicolons or tabs, quotes doubled within quotes ({fault.Message})");
        }
    }

    private static IEnumerable<TableRow> JsonLines(string path)
    {
        var number = 0L;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return new TableRow(path, number, Values(path, number, line));
            }
        }
    }

    private static Dictionary<string, string> Values(string path, long number, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 4 });
            return json.RootElement.EnumerateObject()
                .Where(property => property.Value.ValueKind != JsonValueKind.Null)
                .DistinctBy(property => property.Name.ToLowerInvariant())
                .ToDictionary(property => property.Name.ToLowerInvariant(), property => property.Value.ToString());
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new InsufficientDataException(
                $"{path}, line {number}: expected a JSON object, got '{(line.Length > 60 ? line[..60] + "…" : line)}'.");
        }
    }
}
