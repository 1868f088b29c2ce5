using System.Globalization;
using System.Net;

namespace Microsoft.ML.KagPrompt.Station;

/// <summary>What the station is started with.</summary>
internal sealed record StationOptions
{
    public const string Usage = """
        Microsoft.ML.KagPrompt.Station [options]
          --data FOLDER        where everything is kept: users, models, results, pictures (default: station)
          --urls ADDRESS       where it listens (default: http://127.0.0.1:5080); http:// on loopback addresses alone
          --behind-proxy       also http:// on other addresses: a proxy before it speaks HTTPS
          --watch-root FOLDER  below it lie the folders that lines may watch (default: incoming in the data folder)
          --result-days N      results are removed after N days, with pictures and maps, but for those that were spoken of (default: never)
          --picture-days N     pictures and maps of results are deleted after N days, but for those that were spoken of (default: never)
          --picture-gigabytes N   the oldest of them are deleted above N gigabytes (default: never)
          --demo               begins with a product of rendered parts, and a folder into which parts come
          --reset-admin        gives the user admin a new one-time password
        """;

    public string Data { get; init; } = "station";

    public string Urls { get; init; } = "http://127.0.0.1:5080";

    public bool BehindProxy { get; init; }

    public string? WatchRoot { get; init; }

    public double? ResultDays { get; init; }

    public double? PictureDays { get; init; }

    public double? PictureGigabytes { get; init; }

    public bool Demo { get; init; }

    public bool ResetAdmin { get; init; }

    /// <summary>Where address and one-time password are told.</summary>
    public TextWriter Output { get; init; } = Console.Out;

    public string Incoming => Path.GetFullPath(WatchRoot ?? PathTo("incoming"));

    /// <summary>A path in the data folder.</summary>
    public string PathTo(params string[] parts) => Path.GetFullPath(Path.Combine([Data, .. parts]));

    /// <exception cref="ArgumentException">An option is not known, lacks its value, or would send passwords in the clear.</exception>
    public static StationOptions Parse(string[] arguments)
    {
        var options = new StationOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            var name = arguments[i];
            string Value() => ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{name}: expected a value after it.");
            options = name switch
            {
                "--data" => options with { Data = Value() },
                "--urls" => options with { Urls = Value() },
                "--watch-root" => options with { WatchRoot = Value() },
                "--result-days" => options with { ResultDays = Number(name, Value()) },
                "--picture-days" => options with { PictureDays = Number(name, Value()) },
                "--picture-gigabytes" => options with { PictureGigabytes = Number(name, Value()) },
                "--behind-proxy" => options with { BehindProxy = true },
                "--demo" => options with { Demo = true },
                "--reset-admin" => options with { ResetAdmin = true },
                _ => throw new ArgumentException($"'{name}' is no option.\n{Usage}"),
            };
        }

        foreach (var address in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            options.RequireSafe(address);
        }

        return options;
    }

    private static double Number(string name, string text)
        => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
            : throw new ArgumentException($"{name}: expected a number above 0, got '{text}'.");

    private void RequireSafe(string address)
    {
        // Kestrel's "http://*:80" is no Uri; it is no loopback address either.
        var local = Uri.TryCreate(address, UriKind.Absolute, out var uri)
            && (uri.IsLoopback || (IPAddress.TryParse(uri.Host, out var ip) && IPAddress.IsLoopback(ip)));
        if (!local && !BehindProxy && !address.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException($"--urls: expected https://, or http:// on a loopback address, got '{address}': passwords "
                + "would go over the network in the clear. Give a certificate (Kestrel__Certificates__Default__Path) and https://, or "
                + "--behind-proxy where one speaks HTTPS.");
        }
    }
}
