namespace Microsoft.ML.KagPrompt.Orleans.Tests;

public sealed class PlantOptionsTests
{
    [Fact]
    public void Validate_Defaults_AreSound()
    {
        new PlantSiloOptions().Invoking(options => options.Validate()).Should().NotThrow();
        new PlantClientOptions().Invoking(options => options.Validate()).Should().NotThrow();
    }

    [Fact]
    public void Validate_WrongValues_AreNamedInOneMessageWithoutThePassword()
    {
        var silo = new PlantSiloOptions { PostgresConnectionString = " ", SiloPort = 0, DeadAfter = TimeSpan.Zero, RememberedAnswers = -1 };
        silo.Invoking(options => options.Validate()).Should().Throw<ArgumentException>()
            .WithMessage("*PostgresConnectionString*SiloPort*got 0*DeadAfter*RememberedAnswers*");
        var client = new PlantClientOptions { GatewayPorts = [], RetryDelay = TimeSpan.Zero };
        client.Invoking(options => options.Validate()).Should().Throw<ArgumentException>().WithMessage("*GatewayPorts*RetryDelay*");
        var line = new LineSettings { Product = "a\nb", Threshold = float.NaN, TeachingScores = [float.PositiveInfinity] };
        line.Invoking(settings => settings.Validate()).Should().Throw<ArgumentException>().WithMessage("*Product*Threshold*TeachingScores*");
    }
}
