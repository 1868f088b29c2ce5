namespace Microsoft.ML.KagPrompt.Results.Tests.Database;

public class PostgresTextTests
{
    [Theory]
    [InlineData("Hots=db;Password=hunter2", "number 1")]
    [InlineData("Host=db;Pasword=hunter2", "number 2")]
    [InlineData("Host=db;Port=hunter2", "number 2")]
    [InlineData("Host=;Password=hunter2", "without a Host")]
    [InlineData("Username=me;Password=hunter2", "without a Host")]
    [InlineData("hunter2", "of the form")]
    [InlineData("  ", "empty")]
    public void Validate_ConnectionStringOfNoUse_IsRefusedInWordsWithoutWhatWasGiven(string given, string why)
        => new KagPromptResultsOptions { Folder = "results", PostgresConnectionString = given }.Invoking(options => options.Validate())
            .Should().Throw<ArgumentException>().WithMessage($"*PostgresConnectionString*{why}*").Which.ToString().Should().NotContain("hunter2");

    [Theory]
    [InlineData("Host=db;Username=me;Password='a;b=c';Database=results")]
    [InlineData("Server=db;User Id=me;SSL Mode=Require;Port=5433;Timeout=5")]
    [InlineData("Host=/var/run/postgresql;Database=results;Include Error Detail=true")]
    public void Validate_ConnectionStringOfUse_IsTaken(string given)
        => new KagPromptResultsOptions { Folder = "results", PostgresConnectionString = given }.Invoking(options => options.Validate()).Should().NotThrow();
}
