using System.Text;

namespace Microsoft.ML.KagPrompt.Tests.Text;

/// <summary>Texts of words, marks, entities, scripts and halves of characters; some empty, some far too long for a row.</summary>
internal static class RandomTexts
{
    private static readonly string[] Pieces =
    [
        "photo", "of a", "damaged", "scratched", "Transistor", "it's", "WE'LL", "'re", "'d", "'ve", "3.14", "№5", "≤ 0,3 mm", "🔩", "螺丝", "Öl", "é", "e\u0301", "&amp;", "&lt;b&gt;", "&amp;#39;s",
        "...", "!!", "_", "<|endoftext|>", "</w>", "\u00a0", "\t", "\n", "\u2028", "\ud83d", "\udd29", "İ", "ſ", "\u212a", "ß", "aaaaaa", "abababab", "\0", "'ſ", "ﬀ", "١٢", "Ⅷ", "½",
    ];

    public static IEnumerable<string> Draw(int seed, int count)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var text = new StringBuilder();
            // The first is empty, every fourth may pass the end of a row.
            for (var piece = i == 0 ? 0 : random.Next(random.Next(4) == 0 ? 120 : 15); piece > 0; piece--)
            {
                _ = random.Next(4) switch
                {
                    0 => text.Append((char)random.Next(32, 127)),
                    1 => text.Append((char)random.Next(65536)),
                    _ => text.Append(Pieces[random.Next(Pieces.Length)]).Append(random.Next(2) == 0 ? " " : ""),
                };
            }

            yield return text.ToString();
        }
    }
}
