using System.Text.RegularExpressions;
using FluentAssertions;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting.Tests;

public sealed class HtmlReportTests
{
    private static readonly ThresholdCalibration Calibration = new() { Method = "<method>", Threshold = 0.5f, MapThreshold = 0.4f, Scale = 0.1f, SupportImages = 4, NormalScores = [0.1f, 0.2f] };

    [Fact]
    public void Write_Items_WorstFirst()
    {
        var html = Page(Item("calm", 0.1f, false), Item("missed", 0.2f, true), Item("missed worse", 0.15f, true), Item("found", 0.9f, true), Item("narrow", 0.51f, true), Item("alarm", 0.7f, false), Item("worst alarm", 0.8f, false), Item("unknown", 0.6f, null));

        string[] order = ["missed worse", "missed", "worst alarm", "alarm", "unknown", "narrow", "found", "calm"];
        Regex.Matches(html, "class=\"name\">([^<]+)<").Select(match => match.Groups[1].Value).Should().Equal(order);
        string[] titles = ["Missed defects", "False alarms", "Not labelled", "Found defects", "Accepted good parts"];
        titles.Select(title => html.IndexOf($"<h2>{title}</h2>", StringComparison.Ordinal)).Should().BeInAscendingOrder().And.NotContain(-1);
    }

    [Fact]
    public void Write_LabelledItems_TellsWhatSharesOfFalseAlarmsBuy()
    {
        // Twenty good parts of 0.01 to 0.20, and defects above all of them, above all but one, above all but two, and below.
        var goods = Enumerable.Range(1, 20).Select(i => Item($"good {i}", i / 100f, false));
        var html = Page([.. goods, Item("a", 0.205f, true), Item("b", 0.195f, true), Item("c", 0.185f, true), Item("d", 0.05f, true), Item("unknown", 0.9f, null)]);

        var table = html[html.IndexOf("<table class=\"alarms\"", StringComparison.Ordinal)..];
        var rows = Regex.Matches(table[..table.IndexOf("</table>", StringComparison.Ordinal)], "<tr>(<td>.*?)</tr>").Select(row => Regex.Matches(row.Value, "<td>(.*?)</td>").Select(cell => cell.Groups[1].Value).ToArray()).ToArray();
        rows.Select(row => row[0]).Should().Equal("0 %", "1 %", "2 %", "5 %", "10 %");
        rows[0].Should().Equal("0 %", "0.200", "0 of 20", "0 %", "1 of 4", "25 %");
        rows[2].Should().Equal("2 %", "0.200", "0 of 20", "0 %", "1 of 4", "25 %");
        rows[3].Should().Equal("5 %", "0.190", "1 of 20", "5 %", "2 of 4", "50 %");
        rows[4].Should().Equal("10 %", "0.180", "2 of 20", "10 %", "3 of 4", "75 %");
        html.Should().Contain("one false alarm is 5 %");
    }

    [Fact]
    public void Write_NoDefects_HasNoTableOfFalseAlarms()
        => Page(Item("a", 0.1f, false), Item("b", 0.9f, null)).Should().NotContain("class=\"alarms\"");

    [Fact]
    public void Write_HostileText_IsText()
    {
        const string Script = "<script>alert(1)</script>";
        var item = Item("\" onload=\"x", 0.2f, null) with { DefectType = Script, ClassName = Script };
        using var writer = new StringWriter();
        HtmlReport.Write(writer, new ReportPage { Title = Script, Facts = [(Script, Script)], Items = [item, item with { Name = Script, IsAnomalous = true }, item with { Picture = null, Fault = Script, ClassName = "other" }] });
        var html = writer.ToString();

        Regex.Matches(html, "<script>").Should().ContainSingle("the page has one script, its own");
        html.Should().Contain("&lt;script&gt;").And.NotContain("\" onload=").And.NotContain("<method>");
    }

    [Fact]
    public void Write_AnyItems_AsksNothingFromElsewhere()
    {
        var html = Page(Item("a", 0.1f, false), Item("b", 0.9f, true));

        html.Should().Contain("data:image/png;base64,").And.NotContain("http:").And.NotContain("https:").And.NotContain("@import");
        Regex.Matches(html, @"url\((?!#)").Should().BeEmpty();
        html.Should().Contain("default-src 'none'");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Write_ScoreThatIsNoNumber_StillWrites(float score)
        => Page(Item("odd", score, null), Item("a", 0.1f, false), Item("b", 0.9f, true)).Should().Contain("odd").And.Contain("<svg").And.EndWith("</html>" + Environment.NewLine).And.NotContain(">NaN");

    [Fact]
    public void Write_NoItems_StillIsAPage() => Page().Should().StartWith("<!doctype html>").And.Contain("0</b>");

    [Fact]
    public void Write_NoCalibration_StillWrites()
    {
        var unknown = Calibration with { Threshold = float.NaN, MapThreshold = float.NaN, Scale = float.NaN, NormalScores = [] };

        Page(Item("a", 0.1f, false) with { Calibration = unknown }, Item("b", 0.9f, true) with { Calibration = unknown }).Should().NotContain(">NaN").And.NotContain("\"NaN");
    }

    [Fact]
    public void Write_KindsOfDefect_HaveTheirFigures()
    {
        var pixels = new MapStatistics();
        pixels.Add([0, 1, 2, 3], [false, false, true, true], 2, 2, isAnomalous: true);
        var html = Page([new("part", "scratch", pixels.Compute())], Item("g1", 0.1f, false), Item("g2", 0.6f, false), Item("s1", 0.2f, true), Item("s2", 0.8f, true), Item("d", 0.9f, true) with { DefectType = "dent" });

        var rows = Regex.Matches(html[..html.IndexOf("<h2>", StringComparison.Ordinal)], "<tr.*?</tr>").Select(row => Regex.Replace(row.Value, "<[^>]+>", " ").Trim()).Select(row => Regex.Replace(row, " +", " ")).ToArray();
        rows[1].Should().Be("good 2 1 50 % 0.350 – – –");
        rows[2].Should().Be("dent 1 1 100 % 0.900 1.000 – –");
        rows[3].Should().Be("scratch 2 1 50 % 0.500 0.750 1.000 1.000");
        rows[4].Should().Be("all 5 3 60 % 0.520 0.833 – –");
        html.Should().Contain("<b>1</b><span>missed of 3 defects (33.3 %)").And.Contain("<b>1</b><span>false alarms on 2 good parts (50 %)");
    }

    [Fact]
    public void Write_SeveralClasses_HaveASectionEach()
    {
        var html = Page(Item("a", 0.1f, false), Item("b", 0.9f, true), Item("c", 0.9f, true) with { ClassName = "other" }, Item("unread", float.NaN, null) with { ClassName = "third", Fault = "It ends early." });

        Regex.Matches(html, "<details class=\"product\"").Should().HaveCount(3);
        html.Should().Contain("images of 3 classes").And.Contain("unread: It ends early.");
    }

    [Fact]
    public void Picture_OfLargeImage_IsScaledWithItsMap()
    {
        var (asked, encoded) = ((0, 0), (0, 0));
        var picture = ReportPicture.Of(TestPictures.Noise(1000, 500, 1), (width, height) => Asked(width, height), MapScale.Of(Calibration), new bool[500_000], small => Encoded(small));

        asked.Should().Be((384, 192));
        encoded.Should().Be((384, 192));
        (picture.Width, picture.Height).Should().Be((384, 192));
        FluentActions.Invoking(() => ReportPicture.Of(TestPictures.Plain(4, 4, 1), Asked, MapScale.Of(Calibration), new bool[15], Encoded)).Should().Throw<ArgumentException>().WithMessage("*4 x 4*15*");

        float[] Asked(int width, int height)
        {
            asked = (width, height);
            return new float[width * height];
        }

        byte[] Encoded(PixelBuffer small)
        {
            encoded = (small.Width, small.Height);
            return [1];
        }
    }

    private static ReportItem Item(string name, float score, bool? anomalous) => new()
    {
        Name = name,
        ClassName = "part",
        DefectType = anomalous switch { true => "scratch", false => "good", null => "" },
        IsAnomalous = anomalous,
        Score = score,
        Calibration = Calibration,
        Picture = new ReportPicture(4, 4, [0x89, 1, 2, 3], [0x89, 4, 5, 6]),
    };

    private static string Page(params ReportItem[] items) => Page([], items);

    private static string Page(IReadOnlyList<ReportPixels> pixels, params ReportItem[] items)
    {
        using var writer = new StringWriter();
        HtmlReport.Write(writer, new ReportPage { Title = "Title", Facts = [("Fact", "7")], Items = items, Pixels = pixels });
        return writer.ToString();
    }
}
