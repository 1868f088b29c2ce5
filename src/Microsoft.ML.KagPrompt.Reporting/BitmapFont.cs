using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>Letters of 5 × 7 pixels for legends in pictures: figures, and the letters their words need.</summary>
internal static class BitmapFont
{
    public const int Height = 7;

    /// <summary>Columns from one letter to the next.</summary>
    public const int Advance = 6;

    private const int GlyphWidth = 5;

    private static readonly Dictionary<char, bool[]> Glyphs = Parse(
        ("0123456789", """
            .###. ..#.. .###. .###. ...#. ##### ..##. ##### .###. .###.
            #...# .##.. #...# #...# ..##. #.... .#... ....# #...# #...#
            #..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...#
            #.#.# ..#.. ...#. ..##. #..#. ....# ####. ..#.. .###. .####
            ##..# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....#
            #...# ..#.. .#... #...# ...#. #...# #...# ..#.. #...# ...#.
            .###. .###. ##### .###. ...#. .###. .###. ..#.. .###. .##..
            """),
        (".%-acdefhi", """
            ..... ##... ..... ..... ..... ....# ..... ..##. #.... ..#..
            ..... ##..# ..... ..... ..... ....# ..... .#..# #.... .....
            ..... ...#. ..... .###. .###. .##.# .###. .#... #.##. .##..
            ..... ..#.. ##### ....# #.... #..## #...# ###.. ##..# ..#..
            ..... .#... ..... .#### #.... #...# ##### .#... #...# ..#..
            .##.. #..## ..... #...# #...# #...# #.... .#... #...# ..#..
            .##.. ...## ..... .#### .###. .#### .###. .#... #...# .###.
            """),
        ("lnoprstuv", """
            .##.. ..... ..... ..... ..... ..... .#... ..... .....
            ..#.. ..... ..... ..... ..... ..... .#... ..... .....
            ..#.. #.##. .###. ####. #.##. .###. ###.. #...# #...#
            ..#.. ##..# #...# #...# ##..# #.... .#... #...# #...#
            ..#.. #...# #...# ####. #.... .###. .#... #...# #...#
            ..#.. #...# #...# #.... #.... ....# .#..# #..## .#.#.
            .###. #...# .###. #.... #.... ####. ..##. .##.# ..#..
            """));

    /// <summary>Whether a text's pixel is set; nothing is outside the letters, and an unknown letter is blank.</summary>
    public static bool IsSet(string text, int x, int y)
        => y is >= 0 and < Height && x >= 0 && x / Advance < text.Length && x % Advance < GlyphWidth
            && Glyphs.TryGetValue(text[x / Advance], out var glyph) && glyph[(y * GlyphWidth) + (x % Advance)];

    private static Dictionary<char, bool[]> Parse(params (string Letters, string Rows)[] bands)
    {
        var glyphs = new Dictionary<char, bool[]>();
        foreach (var (letters, rows) in bands)
        {
            var lines = rows.Split('\n').Select(line => line.Trim()).ToArray();
            for (var i = 0; i < letters.Length; i++)
            {
                var pixels = lines.SelectMany(line => line.Substring(i * Advance, GlyphWidth));
                glyphs.Add(letters[i], [.. pixels.Select(pixel => pixel == '#')]);
            }
        }

        return glyphs;
    }
}
