using System.Text;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Learns the compact text tower's byte-pair merges from the words of inspection.</summary>
internal static class Vocabulary
{
    private const int MostMerges = 3500;

    /// <summary>Products, materials, features and states that prompts are likely to name.</summary>
    public static IReadOnlyList<string> Words { get; } = """
        object part product item component piece unit sample specimen article assembly module device tool good goods thing body block
        bottle cable capsule carpet grid hazelnut leather metal nut pill screw tile toothbrush transistor wood zipper candle cashew chewing gum fryum
        macaroni pcb pipe cookie magnetic steel sheet plate surface coil strip wire rope chain spring bearing gear wheel hub rim tire shaft axle rod
        bolt washer rivet nail pin clip clamp hook bracket hinge lock key valve pump piston cylinder nozzle injector turbine blade fan impeller rotor stator
        motor engine battery cell pouch electrode cathode anode separator solar panel wafer die chip resistor capacitor inductor diode led relay fuse switch
        connector socket plug header terminal board circuit solder joint track via pad display screen lens mirror glass window bottle jar vial ampoule syringe
        needle tablet blister package box carton bag pouch label sticker barcode print text logo seal cap lid cork can tin tube hose gasket ring oring
        rubber plastic foam fabric textile yarn thread weave knit denim cotton silk wool paper cardboard film foil tape membrane filter mesh net sieve
        stone marble granite concrete brick ceramic porcelain tile floor wall road asphalt rail track sleeper bridge weld seam casting forging extrusion mould
        aluminium copper brass bronze iron zinc titanium gold silver alloy wooden board plank veneer parquet bamboo cork seed bean grain rice wheat corn pea lentil
        walnut almond peanut pistachio coffee cocoa tea leaf fruit apple orange lemon banana grape berry tomato potato carrot onion pepper bread biscuit cracker
        chocolate candy cake pizza pasta noodle egg meat fish cheese sausage pen pencil brush comb button shoe glove bag watch toy doll cup mug spoon fork knife bowl
        surface texture pattern background red green blue white black grey yellow brown round square flat curved small large long short thin thick
        flawless perfect unblemished damaged broken defective normal abnormal good bad clean dirty scratched dented cracked stained bent missing torn worn rusty
        corroded contaminated misaligned misprinted scratch dent crack stain hole chip burr bubble void pore inclusion spot mark fold wrinkle cut tear fray uneven
        blowhole break flaw defect damage without with photo image picture view close top side front back of the a an in on at from
        """.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Distinct().ToArray();

    /// <summary>The words of <see cref="Words"/> that name things, which come before those that describe them.</summary>
    public static IReadOnlyList<string> Products { get; } = [.. Words.TakeWhile(word => word != "texture")];

    /// <summary>Merges, most frequent first.</summary>
    public static IReadOnlyList<(string First, string Second)> Learn()
    {
        var counts = new Dictionary<string, int>();
        foreach (var sentence in Words.SelectMany(word => PromptSentences.Normal(word).Concat(PromptSentences.Abnormal(word))).Concat(Words))
        {
            foreach (var word in sentence.Split(' ').Select(word => word.Trim('.')).Where(word => word.Length > 0))
            {
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }

        var words = counts.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => (Parts: Encoding.ASCII.GetBytes(entry.Key).Select((b, i) => (char)b + (i == entry.Key.Length - 1 ? "</w>" : "")).ToList(), Count: entry.Value)).ToArray();
        var merges = new List<(string, string)>();
        while (merges.Count < MostMerges)
        {
            var pairs = new Dictionary<(string, string), int>();
            foreach (var (parts, count) in words)
            {
                for (var i = 0; i + 1 < parts.Count; i++)
                {
                    pairs[(parts[i], parts[i + 1])] = pairs.GetValueOrDefault((parts[i], parts[i + 1])) + count;
                }
            }

            if (pairs.Count == 0)
            {
                break;
            }

            var best = pairs.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key.Item1, StringComparer.Ordinal).ThenBy(pair => pair.Key.Item2, StringComparer.Ordinal).First().Key;
            merges.Add(best);
            foreach (var (parts, _) in words)
            {
                for (var i = 0; i + 1 < parts.Count; i++)
                {
                    if (parts[i] == best.Item1 && parts[i + 1] == best.Item2)
                    {
                        parts[i] += parts[i + 1];
                        parts.RemoveAt(i + 1);
                    }
                }
            }
        }

        return merges;
    }
}
