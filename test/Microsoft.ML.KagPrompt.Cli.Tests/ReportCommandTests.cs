using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

public sealed class ReportCommandTests(ReportCommandTests.SavedPart part) : IClassFixture<ReportCommandTests.SavedPart>
{
    private const string First = ".card input";

    [Fact]
    public void Report_LabelledData_HasFiguresAndPictures()
    {
        var (code, output, error) = Report("page.html");

        code.Should().Be(0, error);
        output.Should().MatchRegex(@"page\.html: 6 images, 6 with pictures, \d+ kB");
        error.Should().Contain("scoring: 6 of 6").And.Contain("drawing: 6 of 6").And.NotContain("\u001b", "piped progress is plain");
        var page = File.ReadAllText(part.In("page.html"));
        Regex.Matches(page, "<article").Should().HaveCount(6);
        page.Should().Contain("false alarms, at most").And.Contain("<td>10 %</td>").And.Contain("ROC curve, AUROC").And.Contain("<td>bar</td><td>2</td>").And.Contain("pixel AUROC").And.Contain("image/jpeg").And.Contain("memory bank");
        page.Should().Contain("&lt;odd&gt;", "text is escaped").And.NotContain("<odd>");
        page.Length.Should().BeLessThan(6 * 60_000 + 50_000);
        Directory.GetFiles(part.Folder, "*.tmp").Should().BeEmpty();
    }

    [Fact]
    public void Report_FewerPicturesThanImages_ShowsTheWorst()
    {
        Report("two.html", "--pictures", "2").Output.Should().Contain("6 images, 2 with pictures");
        var page = File.ReadAllText(part.In("two.html"));
        var listed = Regex.Matches(page[page.IndexOf("class=\"list\"", StringComparison.Ordinal)..], "<tr><td>(.*?)</td>").Select(row => row.Groups[1].Value).ToArray();
        listed.Should().HaveCount(6);
        Regex.Matches(page, "class=\"name\">([^<]+)<").Select(match => match.Groups[1].Value).Should().BeEquivalentTo(listed.Take(2), "the list begins with the worst");
        page.Should().Contain("The worst 2 of 6 are shown").And.Contain("All images by name");
    }

    [Fact]
    public void Report_AllImages_HasThoseOfTheFitToo()
        => Report("all.html", "--split", "all", "--pictures", "0").Output.Should().Contain("10 images, 0 with pictures");

    [Fact]
    public void Report_ImageThatEndsEarly_IsToldAndTheOthersAreThere()
    {
        Directory.CreateDirectory(part.In("cut/good"));
        Directory.CreateDirectory(part.In("cut/bar"));
        File.Copy(part.In("part/train/good/0.png"), part.In("cut/good/0.png"), overwrite: true);
        File.Copy(part.In("part/test/bar/0.png"), part.In("cut/bar/0.png"), overwrite: true);
        File.WriteAllBytes(part.In("cut/bar/1.png"), File.ReadAllBytes(part.In("part/test/bar/1.png"))[..2000]);

        var (code, output, error) = Tool.Run("report", part.In("part.zip"), "--data", part.In("cut"), "--html", part.In("cut.html"));

        code.Should().Be(3);
        output.Should().Contain("2 images, 1 with pictures");
        error.Should().Contain("1 image(s) could not be read");
        File.ReadAllText(part.In("cut.html")).Should().MatchRegex("bar/1.png: [^<]*1.png");
    }

    [Theory]
    [InlineData(2, "--html", "MODEL", "--data", "DATA")]
    [InlineData(2, "--pictures", "MODEL", "--data", "DATA", "--html", "PAGE", "--pictures", "2000")]
    [InlineData(2, "--split", "MODEL", "--data", "DATA", "--html", "PAGE", "--split", "some")]
    [InlineData(2, "--pictures: expected a whole number of 0 to 1000", "MODEL", "--data", "DATA", "--html", "PAGE", "--pictures", "1,0")]
    [InlineData(3, "is a folder", "MODEL", "--data", "DATA", "--html", "DATA")]
    [InlineData(3, "Cannot write", "MODEL", "--data", "DATA", "--html", "BELOW")]
    [InlineData(3, "There is no folder", "MODEL", "--data", "absent", "--html", "PAGE")]
    [InlineData(3, "--split all", "MODEL", "--data", "GOOD", "--html", "PAGE")]
    [InlineData(3, "There is no model", "absent.zip", "--data", "DATA", "--html", "PAGE")]
    public void Report_WrongArguments_SaysSo(int code, string message, params string[] arguments)
    {
        var (actual, output, error) = Tool.Run(["report", .. arguments.Select(argument => argument switch
        {
            "MODEL" => part.In("part.zip"), "DATA" => part.In("part"), "GOOD" => part.In("part/train/good"), "PAGE" => part.In("wrong.html"), "BELOW" => part.In("part.zip/page.html"), _ => argument,
        })]);

        actual.Should().Be(code);
        error.Should().Contain(message).And.NotContain("   at ", "a user is not shown a stack trace");
        File.Exists(part.In("wrong.html")).Should().BeFalse();
        if (code == 3)
        {
            output.Should().BeEmpty();
        }
    }

    [SkippableFact]
    public async Task Page_InABrowser_RendersAndItsSlidersUncoverTheImages()
    {
        Skip.If(Browser.Program is null, "there is no chromium on the path; './build.sh test' as root on Debian installs it");
        Report("shown.html").Code.Should().Be(0);
        await using var browser = await Browser.Start(Browser.Program!);
        Skip.If(browser.Fault is not null, browser.Fault);
        await SeesRequestsAndErrors(browser);
        await browser.Open(part.In("shown.html"));

        (await browser.Evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")).GetValue<bool>().Should().BeTrue("all pictures decode");
        (await browser.Evaluate("document.documentElement.scrollWidth <= innerWidth")).GetValue<bool>().Should().BeTrue("nothing sticks out to the side");
        var (whole, half, none) = (await Slide(browser, First, 100), await Slide(browser, First, 50), await Slide(browser, First, 0));
        whole.Visible.Should().BeGreaterThan(200);
        half.Visible.Should().BeApproximately(whole.Visible / 2, 1);
        none.Visible.Should().Be(0);
        none.Pixels.Should().NotEqual(whole.Pixels, "the overlay is seen, and uncovers the image");
        half.Pixels.Should().NotEqual(whole.Pixels).And.NotEqual(none.Pixels);

        // The slider above moves all of them.
        (await Slide(browser, "#all", 25)).Visible.Should().BeApproximately(whole.Visible / 4, 1);
        (await browser.Evaluate("[...document.querySelectorAll('.card input')].every(input => input.value === '25')")).GetValue<bool>().Should().BeTrue();

        browser.Complaints.Should().BeEmpty();
        browser.Requests.Should().ContainSingle("the page asks for nothing but itself").Which.Should().StartWith("file:");
    }

    /// <summary>That nothing is recorded of the report means something only where it would be.</summary>
    private async Task SeesRequestsAndErrors(Browser browser)
    {
        File.WriteAllText(part.In("asking.html"), "<img src=\"http://127.0.0.1:9/picture.png\"><script>console.error('wrong')</script>");
        await browser.Open(part.In("asking.html"));
        browser.Requests.Should().Contain(url => url.EndsWith("picture.png", StringComparison.Ordinal));
        browser.Complaints.Should().Contain(complaint => complaint.Contains("wrong", StringComparison.Ordinal));
        browser.Requests.Clear();
        browser.Complaints.Clear();
    }

    /// <summary>Moves a slider as a user does, and looks at the first picture: how wide its overlay shows, and what is seen.</summary>
    private static async Task<(double Visible, byte[] Pixels)> Slide(Browser browser, string slider, int to)
    {
        var place = await browser.Evaluate($$"""
            (() => {
              const card = document.querySelector('.card'), range = document.querySelector('{{slider}}');
              range.value = {{to}};
              range.dispatchEvent(new Event('input', { bubbles: true }));
              const view = card.querySelector('.view').getBoundingClientRect(), over = card.querySelector('.over');
              const hidden = /inset\(0px ([\d.]+)(px|%)/.exec(getComputedStyle(over).clipPath) ?? [0, 0, 'px'];
              const cut = hidden[2] === '%' ? view.width * hidden[1] / 100 : +hidden[1];
              return [view.left + scrollX, view.top + scrollY, view.width, view.height, view.width - cut];
            })()
            """);
        var numbers = place.AsArray().Select(number => number!.GetValue<double>()).ToArray();
        return (numbers[4], await browser.Screenshot(numbers[0], numbers[1], numbers[2], numbers[3]));
    }

    private (int Code, string Output, string Error) Report(string page, params string[] arguments)
        => Tool.Run(["report", part.In("part.zip"), "--data", part.In("part"), "--html", part.In(page), .. arguments]);

    /// <summary>A data set, and a model fitted on it.</summary>
    public sealed class SavedPart : IDisposable
    {
        public SavedPart()
        {
            for (var i = 0; i < 4; i++)
            {
                Write($"part/train/good/{i}.png", TestImages.Part(112, 112, i));
            }

            for (var i = 0; i < 2; i++)
            {
                var (sound, defective) = (TestImages.Part(112, 112, 20 + i), TestImages.Part(112, 112, 20 + i, defective: true));
                Write($"part/test/good/{i}.png", sound);
                Write($"part/test/bar/{i}.png", defective);
                Write($"part/test/<odd> & name/{i}.png", TestImages.Part(112, 112, 30 + i, defective: true));
                Write($"part/ground_truth/bar/{i}_mask.png", new PixelBuffer(112, 112, [.. Enumerable.Range(0, 112 * 112 * 3).Select(k => (byte)(Enumerable.Range(k / 3 * 3, 3).Any(c => sound.Rgb[c] != defective.Rgb[c]) ? 255 : 0))]));
            }

            var (code, _, error) = Tool.Run("fit", In("part"), "--out", In("part.zip"), "--epochs", "0", "--size", "112");
            code.Should().Be(0, error);
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("kagprompt-report-").FullName;

        public string In(string name) => Path.Combine(Folder, name);

        public void Dispose() => Directory.Delete(Folder, recursive: true);

        private void Write(string name, PixelBuffer image)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
            TestImages.Write(image, In(name));
        }
    }
}
