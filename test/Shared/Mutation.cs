using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Small changes of a file, as damage or malice makes them.</summary>
internal static class Mutation
{
    // What readers stumble over: in JSON, in pickles, in lengths.
    private static readonly byte[][] Pieces =
    [
        "null"u8.ToArray(), "[]"u8.ToArray(), "{}"u8.ToArray(), "-1"u8.ToArray(), "1e999"u8.ToArray(), "9223372036854775807"u8.ToArray(), "4294967295"u8.ToArray(), "\"\""u8.ToArray(), "\"\\ud800\""u8.ToArray(),
        "true"u8.ToArray(), "0"u8.ToArray(), ","u8.ToArray(), ":"u8.ToArray(), "]"u8.ToArray(), "}"u8.ToArray(), "\""u8.ToArray(), [0xff], [0], [0xff, 0xff, 0xff, 0xff], "N"u8.ToArray(), "]q\0h\0a"u8.ToArray(), ")R"u8.ToArray(),
        "}"u8.ToArray(), "(t"u8.ToArray(), "."u8.ToArray(), "Q"u8.ToArray(), "b"u8.ToArray(),
    ];

    private static readonly string[] Kinds = ["null", "[]", "{}", "-1", "\"\"", "[null]", "{\"x\":null}", "1e30", "true"];

    /// <summary>A copy with one to three changes.</summary>
    public static byte[] Changed(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var change = random.Next(3); change >= 0 && bytes.Count > 0; change--)
        {
            var at = random.Next(bytes.Count);
            var piece = Pieces[random.Next(Pieces.Length)];
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.InsertRange(at, piece);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(1 + random.Next(8), bytes.Count - at));
                    break;
                case 4:
                    // A whole JSON value, or whatever lies there, becomes another.
                    var end = bytes.FindIndex(at, value => value is (byte)',' or (byte)'}' or (byte)']');
                    bytes.RemoveRange(at, Math.Max(1, Math.Min(end - at, 64)));
                    bytes.InsertRange(Math.Min(at, bytes.Count), piece);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(24), bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Each value of a JSON text in turn, as null and as other kinds.</summary>
    /// <param name="json">The text.</param>
    /// <param name="every">Of the other kinds, every how many-th.</param>
    public static IEnumerable<string> OfValues(string json, int every = 1)
    {
        var others = 0;
        foreach (var path in Paths(System.Text.Json.Nodes.JsonNode.Parse(json)!))
        {
            foreach (var other in Kinds.Where(kind => kind == "null" || others++ % every == 0))
            {
                var root = System.Text.Json.Nodes.JsonNode.Parse(json)!;
                var (parent, last) = (root, path[^1]);
                foreach (var step in path[..^1])
                {
                    parent = step is int index ? parent[index]! : parent[(string)step]!;
                }

                var value = System.Text.Json.Nodes.JsonNode.Parse(other);
                if (last is int at)
                {
                    parent[at] = value;
                }
                else
                {
                    parent[(string)last] = value;
                }

                yield return root.ToJsonString();
            }
        }
    }

    private static IEnumerable<object[]> Paths(System.Text.Json.Nodes.JsonNode node)
    {
        var children = node switch
        {
            System.Text.Json.Nodes.JsonObject properties => properties.Select(entry => ((object)entry.Key, entry.Value)),
            System.Text.Json.Nodes.JsonArray items => items.Select((item, i) => ((object)i, item)),
            _ => [],
        };
        foreach (var (step, child) in children)
        {
            yield return [step];
            foreach (var below in child is null ? [] : Paths(child))
            {
                yield return [step, .. below];
            }
        }
    }
}
