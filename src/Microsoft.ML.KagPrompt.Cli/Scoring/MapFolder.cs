using System.Text;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>A folder that maps are written into, two files an image, named after it.</summary>
internal sealed class MapFolder(string folder)
{
    private readonly HashSet<string> taken = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Writes an image's map, its values and a picture on the scale of its class; returns the path without extension.</summary>
    public string Write(ScoredImage scored)
    {
        // The folder was swept when it was chosen, and may hold thousands.
        var stem = Path.Combine(folder, NameOf(scored.Image.Path));
        WholeFile.Write(stem + ".npy", stream => NpyFile.Write(stream, scored.Map, scored.Width, scored.Height), sweeps: false);
        WholeFile.Write(stem + ".png",
            stream => stream.Write(ImageCodec.EncodePng(HeatmapRenderer.Draw(scored.Map, scored.Width, scored.Height,
                MapScale.ForCalibration(scored.Calibration)))), sweeps: false);
        return stem;
    }

    /// <summary>The file's name; images of one name in several folders get numbers, in the order they come.</summary>
    private string NameOf(string path)
    {
        var name = Short(path == "-" ? "stdin" : Path.GetFileNameWithoutExtension(path));
        var unique = name;
        for (var i = 2; !taken.Add(unique); i++)
        {
            unique = $"{name}~{i}";
        }

        return unique;
    }

    /// <summary>Names end at 255 bytes on most systems; a number, an extension and the mark of an unfinished file come behind.</summary>
    private static string Short(string name)
    {
        const int Longest = 200;
        while (Encoding.UTF8.GetByteCount(name) > Longest)
        {
            name = name[..^(name.Length > 1 && char.IsLowSurrogate(name[^1]) ? 2 : 1)];
        }

        return name;
    }
}
