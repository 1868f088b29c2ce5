namespace Microsoft.ML.KagPrompt.Station.Tests;

public sealed class StationOptionsTests
{
    [Theory]
    [InlineData("http://0.0.0.0:5080")]
    [InlineData("http://*:80")]
    [InlineData("http://station.plant:80")]
    [InlineData("http://127.0.0.1:5080;http://10.0.0.1:80")]
    public void Parse_PlainHttpBeyondThisMachine_IsRefused(string urls)
    {
        FluentActions.Invoking(() => StationOptions.Parse(["--urls", urls])).Should().Throw<ArgumentException>()
            .WithMessage("*in the clear*");
        StationOptions.Parse(["--urls", urls, "--behind-proxy"]).Urls.Should().Be(urls);
    }

    [Theory]
    [InlineData("http://localhost:1")]
    [InlineData("http://[::1]:1")]
    [InlineData("https://0.0.0.0:443")]
    public void Parse_Loopback_OrHttps_IsTaken(string urls) => StationOptions.Parse(["--urls", urls]).Urls.Should().Be(urls);

    [Theory]
    [InlineData("--date", "x")]
    [InlineData("--data")]
    [InlineData("--picture-days", "-1")]
    [InlineData("--result-days", "0")]
    public void Parse_Unknown_OrWithoutItsValue_IsRefused(params string[] arguments)
        => FluentActions.Invoking(() => StationOptions.Parse(arguments)).Should().Throw<ArgumentException>();
}
