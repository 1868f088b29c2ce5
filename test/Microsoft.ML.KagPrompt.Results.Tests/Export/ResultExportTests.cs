using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Results.Tests.Export;

public sealed class ResultExportTests
{
    private static readonly StoredResult Result = new()
    {
        Id = Guid.Parse("01890a5d-ac96-774b-bcce-b302099a8057"), Product = "bolt", ModelVersion = "1",
        Time = new(2026, 3, 1, 12, 0, 0, 500, TimeSpan.Zero),
        Score = -0.125f, Threshold = 1234.5f, IsAnomalous = true, CycleTime = TimeSpan.FromMilliseconds(1500),
        Feedback = FeedbackKind.FalseAlarm, FeedbackBy = "Ann",
    };

    [Fact]
    public async Task Csv_InALanguageWithDecimalCommas_HasInvariantNumbers()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = ",", NegativeSign = "~" } };
        try
        {
            (await CsvAsync(Result)).Should().Be(
                "id,time,product,line,station,model_version,model_hash,score,probability,threshold,"
                + "is_anomalous,is_foreign,reason,cycle_seconds,picture_hash,map_hash,feedback,feedback_by,feedback_at\r\n"
                + "01890a5d-ac96-774b-bcce-b302099a8057,2026-03-01T12:00:00.5000000Z,bolt,,,1,,-0.125,,1234.5,"
                + "true,false,,1.5,,,FalseAlarm,Ann,\r\n");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\tx", "'\tx")]
    [InlineData("\rx", "\"'\rx\"")]
    [InlineData("=", "'=")]
    [InlineData("a=1", "a=1")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b\nc", "\"a\"\"b\nc\"")]
    [InlineData("=\"x\",y", "\"'=\"\"x\"\",y\"")]
    public async Task Csv_AText_IsQuotedAndMadeInert(string product, string cell)
        => (await CsvAsync(Result with { Product = product })).Should().Contain($"Z,{cell},,,1,,");

    [Fact]
    public async Task JsonLines_OfResults_IsAnObjectALine()
    {
        var output = new MemoryStream();
        await ResultExport.WriteJsonLinesAsync(Stream(Result, Result with { Product = "a\nb" }), output);
        var lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n');
        lines.Should().HaveCount(3).And.HaveElementAt(2, "");
        var first = JsonDocument.Parse(lines[0]).RootElement;
        first.GetProperty("score").GetSingle().Should().Be(-0.125f);
        first.GetProperty("feedback").GetString().Should().Be("FalseAlarm");
        first.GetProperty("threshold").GetRawText().Should().Be("1234.5");
        JsonDocument.Parse(lines[1]).RootElement.GetProperty("product").GetString().Should().Be("a\nb");
    }

    private static async Task<string> CsvAsync(StoredResult result)
    {
        var output = new MemoryStream();
        await ResultExport.WriteCsvAsync(Stream(result), output);
        output.CanWrite.Should().BeTrue("it is left open");
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private static async IAsyncEnumerable<StoredResult> Stream(params StoredResult[] results)
    {
        foreach (var result in results)
        {
            await Task.Yield();
            yield return result;
        }
    }
}
