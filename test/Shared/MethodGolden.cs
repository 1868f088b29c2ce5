using System.Globalization;
using Microsoft.ML.KagPrompt.Checkpoints;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Golden files of the comparison methods: in a folder "methods" of the golden folder, or in it where KAG_GOLDEN names the folder itself.</summary>
internal static class MethodGolden
{
    /// <summary>Opens a file by its name without extension. The caller disposes it.</summary>
    public static SafetensorsFile Open(string name)
    {
        var configured = Environment.GetEnvironmentVariable("KAG_GOLDEN");
        var isThere = !string.IsNullOrEmpty(configured) && File.Exists(Path.Combine(configured, $"{name}.safetensors"));
        return SafetensorsFile.Open(SharedFiles.Golden(isThere ? $"{name}.safetensors" : Path.Combine("methods", $"{name}.safetensors")));
    }

    /// <summary>A size or setting that the file says of itself.</summary>
    public static int Number(this SafetensorsFile file, string key) => int.Parse(file.Metadata[key], CultureInfo.InvariantCulture);

    /// <summary>The same with a fraction.</summary>
    public static double Fraction(this SafetensorsFile file, string key) => double.Parse(file.Metadata[key], CultureInfo.InvariantCulture);
}
