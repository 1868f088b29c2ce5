using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Station.Accounts;

namespace Microsoft.ML.KagPrompt.Station.Tests.Accounts;

public sealed class LoginTests(LoginTests.Started started) : IClassFixture<LoginTests.Started>
{
    private const string Own = "correct horse battery";

    private RunningStation Station => started.Station;

    [Theory]
    [InlineData("/")]
    [InlineData("/users")]
    [InlineData("/audit")]
    [InlineData("/account")]
    public async Task Page_WithoutLogin_LeadsToTheLogin(string path)
    {
        using var visitor = new Visitor(Station.Address);
        var answer = await visitor.GetAsync(path);
        answer.StatusCode.Should().Be(HttpStatusCode.Redirect);
        answer.Headers.Location!.PathAndQuery.Should().StartWith("/login");
    }

    [Fact]
    public async Task Circuit_WithoutLogin_IsRefused()
    {
        using var visitor = new Visitor(Station.Address);
        (await visitor.Http.PostAsync("/_blazor/negotiate?negotiateVersion=1", null)).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        (await visitor.GetAsync("/_blazor")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Health_WithoutLogin_Answers()
    {
        using var visitor = new Visitor(Station.Address);
        (await visitor.ReadAsync("/health")).Should().Be("Healthy");
    }

    [Fact]
    public async Task Login_Page_IsStrictAboutWhatItLoads()
    {
        using var visitor = new Visitor(Station.Address);
        var answer = await visitor.GetAsync("/login");
        var policy = string.Join(';', answer.Headers.GetValues("Content-Security-Policy"));
        policy.Should().Contain("default-src 'none'").And.Contain("frame-ancestors 'none'").And.NotContain("unsafe").And.NotContain("http");
        answer.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
        var page = await answer.Content.ReadAsStringAsync();
        page.Should().NotContain("https://").And.Contain("lang=\"en\"").And.Contain("for=\"password\"");
    }

    [Fact]
    public async Task Login_WithTheOneTimePassword_OpensNothingUntilItIsChanged()
    {
        await using var fresh = await RunningStation.StartAsync();
        using var visitor = new Visitor(fresh.Address);
        var answer = await visitor.LogInAsync("admin", fresh.OneTimePassword);
        answer.Headers.GetValues("Set-Cookie").Should().Contain(cookie => cookie.StartsWith("kagprompt-station=", StringComparison.Ordinal)
            && cookie.Contains("httponly") && cookie.Contains("samesite=strict"));
        (await visitor.GetAsync("/users")).Headers.Location!.ToString().Should().Be("/account");
        (await visitor.Http.PostAsync("/_blazor/negotiate", null)).StatusCode.Should().Be(HttpStatusCode.Forbidden);

        (await visitor.SendAsync("/account", "change", ("Input.Old", fresh.OneTimePassword), ("Input.New", "short"),
            ("Input.Again", "short")))
            .StatusCode.Should().Be(HttpStatusCode.OK, "it is refused with words");
        (await visitor.SendAsync("/account", "change", ("Input.Old", fresh.OneTimePassword), ("Input.New", Own), ("Input.Again", Own)))
            .Headers.Location!.PathAndQuery.Should().Be("/");
        (await visitor.GetAsync("/users")).StatusCode.Should().Be(HttpStatusCode.OK);

        using var later = new Visitor(fresh.Address);
        (await later.LogInAsync("admin", fresh.OneTimePassword)).StatusCode.Should().Be(HttpStatusCode.OK, "it was for one time");
    }

    [Fact]
    public async Task Login_FiveTimesWrong_LocksTheUser_AndTenPostsAMinuteAreEnough()
    {
        await using var fresh = await RunningStation.StartAsync();
        using var visitor = new Visitor(fresh.Address);
        for (var i = 0; i < 5; i++)
        {
            (await visitor.LogInAsync("admin", "wrong")).StatusCode.Should().Be(HttpStatusCode.OK);
        }

        var locked = await visitor.LogInAsync("admin", fresh.OneTimePassword);
        locked.StatusCode.Should().Be(HttpStatusCode.OK, "the right password does not help for some minutes");
        locked.Headers.Contains("Set-Cookie").Should().BeFalse();
        for (var i = 6; i < 10; i++)
        {
            await visitor.LogInAsync("nobody", "wrong");
        }

        (await visitor.LogInAsync("nobody", "wrong")).StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Form_WithoutItsToken_IsRefused()
    {
        using var visitor = new Visitor(Station.Address);
        (await visitor.Http.PostAsync("/login", new FormUrlEncodedContent([KeyValuePair.Create("_handler", "login"),
            KeyValuePair.Create("Input.Name", "admin")])))
            .StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Culture_German_TellsTheLoginInGerman_AndGoesNowhereElse()
    {
        using var visitor = new Visitor(Station.Address);
        (await visitor.GetAsync("/culture/de?back=//elsewhere.example")).Headers.Location!.ToString().Should().Be("/");
        (await visitor.ReadAsync("/login")).Should().Contain("lang=\"de\"").And.Contain("Anmelden");
        (await visitor.GetAsync("/culture/fr")).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Page_OfAnotherRole_IsDenied()
    {
        await using var fresh = await RunningStation.StartAsync();
        var password = await OperatorOf(fresh);
        using var visitor = new Visitor(fresh.Address);
        await visitor.EnterAsync("olga", password, Own);
        foreach (var path in (string[])["/users", "/audit", "/lines", "/teach", "/improve", $"/photographs/{new string('a', 64)}"])
        {
            var answer = await visitor.GetAsync(path);
            answer.StatusCode.Should().Be(HttpStatusCode.Redirect, path);
            answer.Headers.Location!.AbsolutePath.Should().Be("/denied", path);
        }

        foreach (var path in (string[])["/run", "/review", "/watch", "/report"])
        {
            (await visitor.GetAsync(path)).StatusCode.Should().Be(HttpStatusCode.OK, path);
        }
    }

    // Made as the page makes users, on the running station's own database.
    private static async Task<string> OperatorOf(RunningStation station)
    {
        var options = new StationOptions { Data = station.Data, Output = TextWriter.Null };
        var collection = new ServiceCollection();
        collection.AddLogging();
        StationServices.AddAccounts(collection, options);
        collection.AddSingleton(TimeProvider.System).AddSingleton(options);
        await using var services = collection.BuildServiceProvider();
        return await services.GetRequiredService<UserAdmin>().CreateAsync("olga", StationRoles.Operator, "test");
    }

    public sealed class Started : IAsyncLifetime
    {
        public RunningStation Station { get; private set; } = null!;

        public async Task InitializeAsync() => Station = await RunningStation.StartAsync();

        public async Task DisposeAsync() => await Station.DisposeAsync();
    }
}
