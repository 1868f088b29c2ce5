using System.Globalization;
using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using QuickStart;

namespace Microsoft.ML.KagPrompt.Station.Tests.Browsing;

/// <summary>What a plant does with the station, in a real browser.</summary>
public sealed class StationJourneyTests
{
    private const string Own = "correct horse battery";
    private const int Parts = 20;

    private static readonly string Screens = Path.Combine(RunningStation.Root, "artifacts", "station-screens");
    private static readonly string?[] Defects = ["scratch", "stain", "missing_hole", "chip"];

    private readonly List<string> complaints = [];
    private readonly List<string> faults = [];
    private IPage page = null!;

    private static string? Chromium => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(folder => folder != "")
        .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    [SkippableFact]
    public async Task Station_FromTheFirstLoginToTheReport_WorksInABrowser()
    {
        Skip.If(Chromium is null, "There is no chromium on the path.");
        Directory.CreateDirectory(Screens);
        await using var station = await RunningStation.StartAsync();
        using var playwright = await Playwright.Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        var context = await browser.NewContextAsync(new() { BaseURL = station.Address.ToString(), ViewportSize = new() { Width = 1180, Height = 820 }, Locale = "en" });
        context.SetDefaultTimeout(60_000);
        page = await context.NewPageAsync();
        Listen(station.Address);

        await EnterAsync(station.OneTimePassword);
        await TeachAsync();
        await AddLineAsync();
        await RunAsync(station.Data);
        await ReviewAsync();
        await ImproveAsync();
        await OtherPagesAsync();
        await InGermanAsync(station.Data);
        complaints.Should().BeEmpty("nothing went wrong in the console, and nothing outside was asked for");
        faults.Should().BeEmpty();
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

    private async Task EnterAsync(string password)
    {
        await page.GotoAsync("/");
        await LookAsync("login");
        await page.GetByLabel("Name").FillAsync("admin");
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await page.GetByLabel("Old password").FillAsync(password);
        await LookAsync("password");
        await page.GetByLabel("New password, at least 12 characters").FillAsync(Own);
        await page.GetByLabel("New password again").FillAsync(Own);
        await page.GetByRole(AriaRole.Button, new() { Name = "Change the password" }).ClickAsync();
        await HeadingAsync("Run");
        await LookAsync("run-empty");
    }

    private async Task TeachAsync()
    {
        await OpenAsync("Teach");
        await page.GetByLabel("Name of the product").FillAsync("../washer");
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("../washer");
        await page.GetByLabel("Name of the product").FillAsync("washer");
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin" }).ClickAsync();
        await page.Locator("#files").SetInputFilesAsync(Enumerable.Range(0, 5).Select(i => new FilePayload
        {
            Name = $"good-{i}.png",
            MimeType = "image/png",
            Buffer = ImageCodec.EncodePng(PartRenderer.Render(500 + i, null).Picture),
        }));
        await Assertions.Expect(page.Locator(".pictures li")).ToHaveCountAsync(5);
        await page.Locator("#files").SetInputFilesAsync(new FilePayload { Name = "notes.png", MimeType = "image/png", Buffer = "no picture"u8.ToArray() });
        await Assertions.Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("notes.png");

        var canvas = page.Locator("canvas");
        await canvas.ScrollIntoViewIfNeededAsync();
        var box = (await canvas.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.06f), box.Y + (box.Height * 0.06f));
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.94f), box.Y + (box.Height * 0.94f), new() { Steps = 5 });
        await page.Mouse.UpAsync();
        await Assertions.Expect(page.GetByLabel("Corner 3 x")).ToHaveValueAsync(new Regex("^9[34]"));
        await page.GetByLabel("Corner 3 x").FillAsync("95");
        await page.GetByLabel("Corner 3 x").BlurAsync();
        await LookAsync("teach");

        await page.Locator("#start-fit").ClickAsync();
        await Assertions.Expect(page.Locator("#publish-it")).ToBeEnabledAsync(new() { Timeout = 180_000 });
        await LookAsync("teach-fitted");
        await page.Locator("#publish-it").ClickAsync();
        await Assertions.Expect(page.Locator("#published")).ToBeVisibleAsync();
    }

    private async Task AddLineAsync()
    {
        await OpenAsync("Lines");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Press 1");
        await page.GetByLabel("Product", new() { Exact = true }).FillAsync("washer");
        await page.GetByLabel("Folder below").FillAsync("press-1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Rowheader, new() { Name = "Press 1" })).ToBeVisibleAsync();
        await page.GetByLabel("Whose key it is").FillAsync("camera");
        await page.GetByRole(AriaRole.Button, new() { Name = "New key" }).ClickAsync();
        await Assertions.Expect(page.Locator(".note code")).ToBeVisibleAsync();
        await LookAsync("lines");
    }

    private async Task RunAsync(string data)
    {
        await OpenAsync("Run");
        var folder = Directory.CreateDirectory(Path.Combine(data, "incoming", "press-1")).FullName;
        for (var i = 0; i < Parts; i++)
        {
            var defect = i % 5 == 4 ? Defects[i / 5] : null;
            await File.WriteAllBytesAsync(Path.Combine(folder, $"part-{i:00}.png"), ImageCodec.EncodePng(PartRenderer.Render(700 + i, defect).Picture));
        }

        await Assertions.Expect(page.GetByText(string.Create(CultureInfo.InvariantCulture, $"{Parts} inspected"))).ToBeVisibleAsync(new() { Timeout = 120_000 });
        await LookAsync("run");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Assertions.Expect(page.GetByText("paused", new() { Exact = true })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Assertions.Expect(page.GetByText("waiting for pictures")).ToBeVisibleAsync();
        Directory.GetFiles(Path.Combine(folder, "done")).Should().HaveCount(Parts);
    }

    private async Task ReviewAsync()
    {
        await OpenAsync("Review");
        await Assertions.Expect(page.GetByText($"1 of {Parts} that are loaded")).ToBeVisibleAsync();
        await LookAsync("review");
        await page.Locator("h1").ClickAsync();
        await page.Keyboard.PressAsync("1");
        await Assertions.Expect(page.GetByText($"2 of {Parts} that are loaded")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("k");
        await Assertions.Expect(page.Locator("#said-last")).ToContainTextAsync("False alarm admin");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("3");
        await Assertions.Expect(page.GetByText($"3 of {Parts} that are loaded")).ToBeVisibleAsync();
        await page.GetByLabel("How much of the map is seen").FillAsync("0");
        (await page.Locator(".layered.large .map").EvaluateAsync<string>("map => getComputedStyle(map).opacity")).Should().Be("0");
        await page.GetByLabel("How much of the map is seen").FillAsync("60");
        await page.GetByLabel("Verdict").SelectOptionAsync(new SelectOptionValue { Label = "good" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Assertions.Expect(page.Locator(".verdict").First).ToContainTextAsync("✓ good");
    }

    private async Task ImproveAsync()
    {
        await OpenAsync("Improve");
        await page.Locator("#learn-it").ClickAsync();
        await Assertions.Expect(page.Locator("#compared")).ToContainTextAsync($"of the last {Parts} parts", new() { Timeout = 180_000 });
        await LookAsync("improve");
        await page.Locator("#take-over").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync("is served");
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Locator("tbody tr").Nth(0)).ToContainTextAsync("served");
        await page.Locator("#undo").ClickAsync();
        await Assertions.Expect(page.Locator("tbody tr").Nth(1)).ToContainTextAsync("served");
    }

    private async Task OtherPagesAsync()
    {
        await OpenAsync("Watch");
        await Assertions.Expect(page.GetByText("None: the last 20 pictures")).ToBeVisibleAsync();
        await LookAsync("watch");
        await OpenAsync("Report");
        await Assertions.Expect(page.Locator("dl")).ToContainTextAsync("4 (20%)");
        await page.Locator("h1").ClickAsync();
        await LookAsync("report");
        var download = await page.RunAndWaitForDownloadAsync(() => page.Locator("#pdf").ClickAsync());
        var pdf = Path.Combine(Screens, "report.pdf");
        await download.SaveAsAsync(pdf);
        (await File.ReadAllBytesAsync(pdf))[..5].Should().Equal("%PDF-"u8.ToArray());
        await OpenAsync("Users");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("anna");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(page.Locator(".note code")).ToBeVisibleAsync();
        await LookAsync("users");
        await OpenAsync("Audit");
        await Assertions.Expect(page.GetByText("model rolled back")).ToBeVisibleAsync();
        await LookAsync("audit");
    }

    private async Task InGermanAsync(string data)
    {
        await page.GetByRole(AriaRole.Link, new() { Name = "Deutsch" }).ClickAsync();
        await HeadingAsync("Protokoll");
        await OpenAsync("Prüfen");
        await Assertions.Expect(page.GetByText("wartet auf Bilder")).ToBeVisibleAsync();
        // What is told by another thread is told in the reader's language, too.
        await File.WriteAllBytesAsync(Path.Combine(data, "incoming", "press-1", "last.png"), ImageCodec.EncodePng(PartRenderer.Render(900, null).Picture));
        await Assertions.Expect(page.GetByText("21 geprüft")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".verdict").First).ToContainTextAsync(new Regex("Wert 0,\\d{3}"));
        await LookAsync("run-german");
        await page.SetViewportSizeAsync(600, 960);
        await LookAsync("run-small-tablet");
        await page.GotoAsync("/nowhere");
        await LookAsync("not-found");
    }

    private async Task OpenAsync(string name)
    {
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
        await HeadingAsync(name);
    }

    private Task HeadingAsync(string name)
        => Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, NameRegex = new Regex("^" + Regex.Escape(name)) })).ToBeVisibleAsync();

    /// <summary>Keeps a picture of the page, and asks axe for what keeps people out.</summary>
    private async Task LookAsync(string name)
    {
        await page.ScreenshotAsync(new() { Path = Path.Combine(Screens, name + ".png"), FullPage = true });
        var result = await page.RunAxe();
        faults.AddRange(result.Violations.Where(violation => violation.Impact is "serious" or "critical")
            .SelectMany(violation => violation.Nodes.Select(node => $"{name}: {violation.Id}: {node.Html}")));
    }
}
