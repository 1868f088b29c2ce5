namespace Microsoft.ML.KagPrompt.Results.Tests.Servers;

/// <summary>A PostgreSQL that tests share, each with databases of its own; they are skipped where there is none.</summary>
public sealed class PostgresServer : IDisposable
{
    private readonly PostgresProgram program = new();

    /// <summary>The connection string of a new database; skips the test where there is no server.</summary>
    public string NewDatabase()
    {
        Skip.If(program.WhyNot is not null, program.WhyNot);
        return program.NewDatabase();
    }

    public void Start() => program.Start();

    public void Stop() => program.Stop();

    public void Dispose() => program.Dispose();
}

[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>
{
    public const string Name = "PostgreSQL";
}
