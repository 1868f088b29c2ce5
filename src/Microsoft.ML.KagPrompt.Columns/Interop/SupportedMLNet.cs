using System.Reflection;

namespace Microsoft.ML.KagPrompt.Interop;

/// <summary>The ML.NET versions whose internals this library knows.</summary>
internal static class SupportedMLNet
{
    private const string Range = "5.0.1 up to, but not including, 5.1";

    /// <summary>Says so plainly when another version was loaded, before a missing member would.</summary>
    public static void Check()
    {
        var version = typeof(MLContext).Assembly.GetName().Version;
        var file = typeof(MLContext).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var product = Version.TryParse(file?.Split('-', '+', ' ')[0], out var parsed) ? parsed : version;
        if (product is not { Major: 5, Minor: 0 })
        {
            throw new PlatformNotSupportedException($"This version of Microsoft.ML.KagPrompt works with ML.NET {Range}; "
                + $"the application loaded {file ?? version?.ToString()}. "
                + "Reference Microsoft.ML 5.0.1, or a version of Microsoft.ML.KagPrompt made for yours.");
        }
    }
}
