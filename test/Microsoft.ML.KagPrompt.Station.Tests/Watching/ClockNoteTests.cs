using System.Net;
using System.Text.RegularExpressions;

namespace Microsoft.ML.KagPrompt.Station.Tests.Watching;

public sealed class ClockNoteTests
{
    [Fact]
    public async Task Pages_AfterTheClockWasSetAYearAhead_SaySoToThoseWhoAreLoggedIn()
    {
        var data = Directory.CreateTempSubdirectory("kagprompt-clock-");
        try
        {
            Directory.CreateDirectory(Path.Combine(data.FullName, "results"));
            await File.WriteAllTextAsync(Path.Combine(data.FullName, "results", "clock.json"),
                $$"""{"Expected":"{{DateTimeOffset.UtcNow.AddYears(-1):O}}","Shown":null,"Ran":"00:00:00"}""");
            await using var station = await RunningStation.StartAsync(data.FullName);
            using var visitor = new Visitor(station.Address);
            (await visitor.ReadAsync("/login")).Should().NotContain("id=\"clock\"");
            await visitor.EnterAsync("admin", station.OneTimePassword, "correct horse battery");
            // The other pages need scripts.
            var note = Regex.Match(await visitor.ReadAsync("/account"), "<p id=\"clock\"[^>]*>([^<]*)<").Groups[1].Value;
            WebUtility.HtmlDecode(note).Should().Contain("The machine's clock shows").And.Contain("for 72 more hours");
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }
}
