using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Text;

/// <summary>Byte-pair encoding as its definition reads, without pattern, queue or cache: what the tokenizer must agree with.</summary>
internal sealed class PlainBytePairs
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    private static readonly char[] Letters = ByteLetters();

    private readonly Dictionary<string, int> ranks = [];
    private readonly Dictionary<string, long> ids = [];
    private readonly int length;

    public PlainBytePairs(IReadOnlyList<string> merges, int length)
    {
        this.length = length;
        var letters = Letters.Order().Select(letter => letter.ToString()).ToArray();
        foreach (var token in letters.Concat(letters.Select(letter => letter + "</w>")).Concat(merges.Select(merge => merge.Replace(" ", ""))))
        {
            ids.Add(token, ids.Count);
        }

        for (var i = 0; i < merges.Count; i++)
        {
            ranks.Add(merges[i], i);
        }
    }

    public long[] Encode(string text)
    {
        var tokens = Words(WebUtility.HtmlDecode(WebUtility.HtmlDecode(text)).ToLowerInvariant()).SelectMany(Split).Select(token => ids[token]).Take(length - 2).ToList();
        long[] row = [ids.Count, .. tokens, ids.Count + 1];
        return [.. row, .. new long[length - row.Length]];
    }

    /// <summary>Contractions, runs of letters, single digits, runs of the rest; white space parts them.</summary>
    private static IEnumerable<string> Words(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var ending = Contractions.FirstOrDefault(ending => string.CompareOrdinal(text, i, ending, 0, ending.Length) == 0);
            var kind = Kind(text[i]);
            var end = i + 1;
            if (ending is not null)
            {
                end = i + ending.Length;
            }
            else if (kind != 'n')
            {
                while (end < text.Length && Kind(text[end]) == kind)
                {
                    end++;
                }
            }

            if (kind != ' ')
            {
                yield return text[i..end];
            }

            i = end;
        }
    }

    private static char Kind(char letter) => char.IsWhiteSpace(letter) ? ' ' : char.IsLetter(letter) ? 'l'
        : char.GetUnicodeCategory(letter) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber ? 'n' : 'o';

    private IEnumerable<string> Split(string word)
    {
        var parts = Encoding.UTF8.GetBytes(word).Select(value => Letters[value].ToString()).ToList();
        parts[^1] += "</w>";
        while (true)
        {
            // The pair that was merged first when the vocabulary was learnt; of equal ones the leftmost.
            var best = Enumerable.Range(0, parts.Count - 1).Where(i => ranks.ContainsKey(parts[i] + " " + parts[i + 1]))
                .OrderBy(i => ranks[parts[i] + " " + parts[i + 1]]).ThenBy(i => i).Cast<int?>().FirstOrDefault();
            if (best is not { } at)
            {
                return parts;
            }

            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }
    }

    private static char[] ByteLetters()
    {
        var next = 256;
        return [.. Enumerable.Range(0, 256).Select(value => value is (> 32 and < 127) or (> 160 and < 256 and not 173) ? (char)value : (char)next++)];
    }
}
