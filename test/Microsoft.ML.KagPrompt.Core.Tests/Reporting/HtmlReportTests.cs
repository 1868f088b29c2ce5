using FluentAssertions;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting;

public sealed class HtmlReportTests
{
    [Fact]
    public void Write_Rows_HighestScoreFirstAndWrongOnesMarked()
    {
        var html = Page(Row("calm", 0.1f, false), Row("missed", 0.2f, true), Row("found", 0.9f, true), Row("alarm", 0.7f, false), Row("unknown", 0.6f, null));

        string[] order = ["found", "alarm", "unknown", "missed", "calm"];
        order.Select(name => html.IndexOf($": {name}</p>", StringComparison.Ordinal)).Should().BeInAscendingOrder().And.NotContain(-1);
        html.Split("<article").Skip(1).Where(article => article.StartsWith(" class=\"wrong\"", StringComparison.Ordinal))
            .Select(article => article.Contains("alarm", StringComparison.Ordinal) || article.Contains("missed", StringComparison.Ordinal)).Should().Equal(true, true);
    }

    [Fact]
    public void Write_HostileName_IsText()
    {
        var html = Page(Row("<script>alert(1)</script>", 0.1f, null), Row("\" onload=\"x", 0.2f, null));

        html.Should().NotContain("<script").And.Contain("&lt;script&gt;").And.NotContain("\" onload=");
    }

    [Fact]
    public void Write_AnyRows_AsksNothingFromElsewhere()
    {
        var html = Page(Row("a", 0.1f, false), Row("b", 0.9f, true));

        html.Should().Contain("data:image/png;base64,AQID").And.NotContain("http:").And.NotContain("https:").And.NotContain("url(");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Write_ScoreThatIsNoNumber_StillWrites(float score)
    {
        var html = Page(Row("odd", score, null), Row("a", 0.1f, false), Row("b", 0.9f, true));

        html.Should().Contain("odd").And.Contain("<svg").And.EndWith("</html>" + Environment.NewLine);
    }

    [Fact]
    public void Write_NoRows_StillIsAPage() => Page().Should().StartWith("<!doctype html>").And.Contain("<td>7</td>");

    private static ReportRow Row(string name, float score, bool? anomalous) => new(name, score, 0.5f, anomalous, [("image", [1, 2, 3])]);

    private static string Page(params ReportRow[] rows)
    {
        using var writer = new StringWriter();
        HtmlReport.Write(writer, "Title", [("Figure", "7")], rows);
        return writer.ToString();
    }
}
