using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Microsoft.ML.KagPrompt.Station.Tests.Browsing;

/// <summary>A page of the station in a real browser: what it complains of, what keeps people out, and pictures of it.</summary>
internal sealed class BrowsedPage : IAsyncDisposable
{
    private readonly List<string> complaints = [];
    private readonly List<string> faults = [];
    private readonly IPlaywright playwright;
    private readonly IBrowser browser;
    private readonly IPage page;

    private BrowsedPage(IPlaywright playwright, IBrowser browser, IPage page)
        => (this.playwright, this.browser, this.page) = (playwright, browser, page);

    /// <summary>Where it is installed; null: nowhere on the path.</summary>
    public static string? Chromium => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(folder => folder != "")
        .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    public static string Screens { get; } = Path.Combine(RunningStation.Root, "artifacts", "station-screens");

    public IPage Page => page;

    /// <summary>Warnings and errors of the console, refused requests, and requests to another host.</summary>
    public IReadOnlyList<string> Complaints => complaints;

    /// <summary>What axe calls serious or critical.</summary>
    public IReadOnlyList<string> Faults => faults;

    public static async Task<BrowsedPage> StartAsync(Uri address)
    {
        Directory.CreateDirectory(Screens);
        var playwright = await Playwright.Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox", "--disable-dev-shm-usage"],
        });
        var context = await browser.NewContextAsync(new()
        {
            BaseURL = address.ToString(),
            ViewportSize = new() { Width = 1180, Height = 820 },
            Locale = "en",
        });
        context.SetDefaultTimeout(60_000);
        var browsed = new BrowsedPage(playwright, browser, await context.NewPageAsync());
        browsed.Listen(address);
        return browsed;
    }

    public async Task OpenAsync(string name)
    {
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
        await HeadingAsync(name);
    }

    public Task HeadingAsync(string name)
        => Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, NameRegex = new Regex("^" + Regex.Escape(name)) }))
            .ToBeVisibleAsync();

    /// <summary>Keeps a picture of the page, and asks axe for what keeps people out.</summary>
    public async Task LookAsync(string name)
    {
        await page.ScreenshotAsync(new() { Path = Path.Combine(Screens, name + ".png"), FullPage = true });
        var result = await page.RunAxe();
        faults.AddRange(result.Violations.Where(violation => violation.Impact is "serious" or "critical")
            .SelectMany(violation => violation.Nodes.Select(node => $"{name}: {violation.Id}: {node.Html}")));
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }

    private void Listen(Uri address)
    {
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" && !message.Location.Contains("/nowhere", StringComparison.Ordinal))
            {
                complaints.Add($"{message.Type}: {message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal)
                && new Uri(request.Url).Authority != address.Authority)
            {
                complaints.Add($"asked for {request.Url}");
            }
        };
        page.Response += (_, response) =>
        {
            if (response.Status >= 400 && !response.Url.EndsWith("/nowhere", StringComparison.Ordinal))
            {
                complaints.Add($"{response.Status} of {response.Url}");
            }
        };
    }
}
