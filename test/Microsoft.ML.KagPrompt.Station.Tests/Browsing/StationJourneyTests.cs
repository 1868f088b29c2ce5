using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Microsoft.Playwright;
using QuickStart;

namespace Microsoft.ML.KagPrompt.Station.Tests.Browsing;

/// <summary>What a plant does with the station, in a real browser.</summary>
public sealed class StationJourneyTests
{
    private const string Own = "correct horse battery";
    private const int Parts = 20;

    private static readonly string?[] Defects = ["scratch", "stain", "missing_hole", "chip"];

    private BrowsedPage browsed = null!;

    private IPage Page => browsed.Page;

    [SkippableFact]
    public async Task Station_FromTheFirstLoginToTheReport_WorksInABrowser()
    {
        Skip.If(BrowsedPage.Chromium is null, "There is no chromium on the path.");
        await using var station = await RunningStation.StartAsync();
        await using var browser = await BrowsedPage.StartAsync(station.Address);
        browsed = browser;

        await EnterAsync(station.OneTimePassword);
        await TeachAsync();
        await AddLineAsync();
        await RunAsync(station.Data);
        await ReviewAsync();
        await ImproveAsync();
        await SayOfAPictureThatIsGoneAsync(station.Data);
        await OtherPagesAsync();
        await InGermanAsync(station.Data);
        browsed.Complaints.Should().BeEmpty("nothing went wrong in the console, and nothing outside was asked for");
        browsed.Faults.Should().BeEmpty();
    }

    private async Task EnterAsync(string password)
    {
        await Page.GotoAsync("/");
        await browsed.LookAsync("login");
        await Page.GetByLabel("Name").FillAsync("admin");
        await Page.GetByLabel("Password").FillAsync(password);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await Page.GetByLabel("Old password").FillAsync(password);
        await browsed.LookAsync("password");
        await Page.GetByLabel("New password, at least 12 characters").FillAsync(Own);
        await Page.GetByLabel("New password again").FillAsync(Own);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Change the password" }).ClickAsync();
        await browsed.HeadingAsync("Run");
        await browsed.LookAsync("run-empty");
    }

    private async Task TeachAsync()
    {
        await browsed.OpenAsync("Teach");
        await Page.GetByLabel("Name of the product").FillAsync("../washer");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Begin" }).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("../washer");
        await Page.GetByLabel("Name of the product").FillAsync("washer");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Begin" }).ClickAsync();
        await Page.Locator("#files").SetInputFilesAsync(Enumerable.Range(0, 5).Select(i => new FilePayload
        {
            Name = $"good-{i}.png",
            MimeType = "image/png",
            Buffer = ImageCodec.EncodePng(PartRenderer.Render(500 + i, null).Picture),
        }));
        await Assertions.Expect(Page.Locator(".pictures li")).ToHaveCountAsync(5);
        await Page.Locator("#files").SetInputFilesAsync(new FilePayload { Name = "notes.png", MimeType = "image/png",
            Buffer = "no picture"u8.ToArray() });
        await Assertions.Expect(Page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("notes.png");

        var canvas = Page.Locator("canvas");
        await canvas.ScrollIntoViewIfNeededAsync();
        var box = (await canvas.BoundingBoxAsync())!;
        await Page.Mouse.MoveAsync(box.X + (box.Width * 0.06f), box.Y + (box.Height * 0.06f));
        await Page.Mouse.DownAsync();
        await Page.Mouse.MoveAsync(box.X + (box.Width * 0.94f), box.Y + (box.Height * 0.94f), new() { Steps = 5 });
        await Page.Mouse.UpAsync();
        await Assertions.Expect(Page.GetByLabel("Corner 3 x")).ToHaveValueAsync(new Regex("^9[34]"));
        await Page.GetByLabel("Corner 3 x").FillAsync("95");
        await Page.GetByLabel("Corner 3 x").BlurAsync();

        await Page.GetByRole(AriaRole.Button, new() { Name = "Polygon" }).ClickAsync();
        foreach (var (x, y) in ((float, float)[])[(0.02f, 0.02f), (0.3f, 0.02f), (0.3f, 0.3f), (0.025f, 0.02f)])
        {
            await canvas.ClickAsync(new() { Position = new() { X = box.Width * x, Y = box.Height * y } });
        }

        await Assertions.Expect(Page.GetByText("Area 2")).ToBeVisibleAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Remove the area" }).Nth(1).ClickAsync();
        await Assertions.Expect(Page.GetByText("Area 2")).ToBeHiddenAsync();
        await browsed.LookAsync("teach");

        await Page.Locator("#start-fit").ClickAsync();
        await Assertions.Expect(Page.Locator("#publish-it")).ToBeEnabledAsync(new() { Timeout = 180_000 });
        await browsed.LookAsync("teach-fitted");
        await Page.Locator("#publish-it").ClickAsync();
        await Assertions.Expect(Page.Locator("#published")).ToBeVisibleAsync();
    }

    private async Task AddLineAsync()
    {
        await browsed.OpenAsync("Lines");
        await Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Press 1");
        await Page.GetByLabel("Product", new() { Exact = true }).FillAsync("washer");
        await Page.GetByLabel("Folder below").FillAsync("press-1");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Rowheader, new() { Name = "Press 1" })).ToBeVisibleAsync();
        await Page.GetByLabel("Whose key it is").FillAsync("camera");
        await Page.GetByRole(AriaRole.Button, new() { Name = "New key" }).ClickAsync();
        await Assertions.Expect(Page.Locator(".note code")).ToBeVisibleAsync();
        await browsed.LookAsync("lines");
    }

    private async Task RunAsync(string data)
    {
        await browsed.OpenAsync("Run");
        var folder = Directory.CreateDirectory(Path.Combine(data, "incoming", "press-1")).FullName;
        for (var i = 0; i < Parts; i++)
        {
            var defect = i % 5 == 4 ? Defects[i / 5] : null;
            await File.WriteAllBytesAsync(Path.Combine(folder, $"part-{i:00}.png"),
                ImageCodec.EncodePng(PartRenderer.Render(700 + i, defect).Picture));
        }

        await Assertions.Expect(Page.GetByText(string.Create(CultureInfo.InvariantCulture, $"{Parts} inspected")))
            .ToBeVisibleAsync(new() { Timeout = 120_000 });
        await browsed.LookAsync("run");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Assertions.Expect(Page.GetByText("paused", new() { Exact = true })).ToBeVisibleAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Assertions.Expect(Page.GetByText("waiting for pictures")).ToBeVisibleAsync();
        Directory.GetFiles(Path.Combine(folder, "done")).Should().HaveCount(Parts);
    }

    private async Task ReviewAsync()
    {
        await browsed.OpenAsync("Review");
        await Assertions.Expect(Page.GetByText($"1 of {Parts} that are loaded")).ToBeVisibleAsync();
        await browsed.LookAsync("review");
        await Page.Locator("h1").ClickAsync();
        await Page.Keyboard.PressAsync("1");
        await Assertions.Expect(Page.GetByText($"2 of {Parts} that are loaded")).ToBeVisibleAsync();
        await Page.Keyboard.PressAsync("k");
        await Assertions.Expect(Page.Locator("#said-last")).ToContainTextAsync("False alarm admin");
        await Page.Keyboard.PressAsync("j");
        await Page.Keyboard.PressAsync("3");
        await Assertions.Expect(Page.GetByText($"3 of {Parts} that are loaded")).ToBeVisibleAsync();
        await Page.GetByLabel("How much of the map is seen").FillAsync("0");
        (await Page.Locator(".layered.large .map").EvaluateAsync<string>("map => getComputedStyle(map).opacity")).Should().Be("0");
        await Page.GetByLabel("How much of the map is seen").FillAsync("60");
        await Page.GetByLabel("Verdict").SelectOptionAsync(new SelectOptionValue { Label = "good" });
        await Page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Assertions.Expect(Page.Locator(".verdict").First).ToContainTextAsync("✓ good");
    }

    private async Task ImproveAsync()
    {
        await browsed.OpenAsync("Improve");
        await Page.Locator("#learn-it").ClickAsync();
        await Assertions.Expect(Page.Locator("#compared")).ToContainTextAsync($"of the last {Parts} parts", new() { Timeout = 180_000 });
        await browsed.LookAsync("improve");
        await Page.Locator("#take-over").ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Status).First).ToContainTextAsync("is served");
        await Assertions.Expect(Page.Locator("tbody tr")).ToHaveCountAsync(2);
        await Assertions.Expect(Page.Locator("tbody tr").Nth(0)).ToContainTextAsync("served");
        await Page.Locator("#undo").ClickAsync();
        await Assertions.Expect(Page.Locator("tbody tr").Nth(1)).ToContainTextAsync("served");
    }

    private async Task OtherPagesAsync()
    {
        await browsed.OpenAsync("Watch");
        await Assertions.Expect(Page.GetByText("None: the last 20 pictures")).ToBeVisibleAsync();
        await browsed.LookAsync("watch");
        await browsed.OpenAsync("Report");
        await Assertions.Expect(Page.Locator("dl")).ToContainTextAsync("4 (20%)");
        await Page.Locator("h1").ClickAsync();
        await browsed.LookAsync("report");
        var download = await Page.RunAndWaitForDownloadAsync(() => Page.Locator("#pdf").ClickAsync());
        var pdf = Path.Combine(BrowsedPage.Screens, "report.pdf");
        await download.SaveAsAsync(pdf);
        (await File.ReadAllBytesAsync(pdf))[..5].Should().Equal("%PDF-"u8.ToArray());
        await browsed.OpenAsync("Users");
        await Page.GetByLabel("Name", new() { Exact = true }).FillAsync("anna");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(Page.Locator(".note code")).ToBeVisibleAsync();
        await browsed.LookAsync("users");
        await browsed.OpenAsync("Audit");
        await Assertions.Expect(Page.GetByText("model rolled back")).ToBeVisibleAsync();
        await browsed.LookAsync("audit");
    }

    private async Task SayOfAPictureThatIsGoneAsync(string data)
    {
        await browsed.OpenAsync("Review");
        await Assertions.Expect(Page.GetByText($"1 of {Parts} that are loaded")).ToBeVisibleAsync();
        await using (var results = new SqliteConnection($"Data Source={Path.Combine(data, "results", "results.db")};Mode=ReadOnly;Pooling=False"))
        {
            await results.OpenAsync();
            await using var worst = results.CreateCommand();
            worst.CommandText = "SELECT PictureHash FROM results ORDER BY Score DESC LIMIT 1";
            File.Delete(Directory.GetFiles(Path.Combine(data, "results", "pictures"), (string)(await worst.ExecuteScalarAsync())!,
                SearchOption.AllDirectories).Single());
        }

        await Page.Locator("h1").ClickAsync();
        await Page.Keyboard.PressAsync("1");
        await Assertions.Expect(Page.GetByRole(AriaRole.Status).First).ToContainTextAsync("Improve cannot learn from it");
    }

    private async Task InGermanAsync(string data)
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = "Deutsch" }).ClickAsync();
        await browsed.HeadingAsync("Protokoll");
        await browsed.OpenAsync("Prüfen");
        await Assertions.Expect(Page.GetByText("wartet auf Bilder")).ToBeVisibleAsync();
        // What is told by another thread is told in the reader's language, too.
        await File.WriteAllBytesAsync(Path.Combine(data, "incoming", "press-1", "last.png"),
            ImageCodec.EncodePng(PartRenderer.Render(900, null).Picture));
        await Assertions.Expect(Page.GetByText("21 geprüft")).ToBeVisibleAsync();
        await Assertions.Expect(Page.Locator(".verdict").First).ToContainTextAsync(new Regex("Wert 0,\\d{3}"));
        await browsed.LookAsync("run-german");
        await Page.SetViewportSizeAsync(600, 960);
        await browsed.LookAsync("run-small-tablet");
        await Page.GotoAsync("/nowhere");
        await browsed.LookAsync("not-found");
    }
}
