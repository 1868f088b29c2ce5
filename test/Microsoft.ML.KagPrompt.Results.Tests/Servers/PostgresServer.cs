using System.Diagnostics;
using Npgsql;

namespace Microsoft.ML.KagPrompt.Results.Tests.Servers;

/// <summary>A PostgreSQL of the tests' own, in a temporary folder, reached by a socket there; not there where there is no program for it.</summary>
public sealed class PostgresServer : IDisposable
{
    // PostgreSQL refuses to run as root: then one of these users runs it.
    private static readonly string[] OtherUsers = ["postgres", "nobody"];

    private readonly string? programs = FindPrograms();
    private readonly string? user = FindUser();
    private readonly string root = Directory.CreateTempSubdirectory("kagpg-").FullName;
    private int databases;

    public PostgresServer()
    {
        WhyNot = !OperatingSystem.IsLinux() ? "PostgreSQL is started on Linux only"
            : programs is null ? "PostgreSQL's programs (initdb, pg_ctl) are in no known folder: install the package postgresql"
            : Environment.IsPrivilegedProcess && user is null ? "PostgreSQL refuses root, and there is no other user to run it as"
            : null;
        if (WhyNot is not null)
        {
            return;
        }

        if (Environment.IsPrivilegedProcess)
        {
            Run("chown", user!, root);
        }

        As("initdb", "-D", Data, "-U", "kag", "-A", "trust", "-E", "UTF8", "--no-sync");
        Start();
    }

    /// <summary>Why there is none; null: there is.</summary>
    public string? WhyNot { get; }

    private string Data => Path.Combine(root, "data");

    public void Start() => As("pg_ctl", "-D", Data, "-w", "-l", Path.Combine(root, "log"),
        "-o", $"-c listen_addresses='' -c unix_socket_directories='{root}' -c fsync=off", "start");

    /// <summary>As a power switch does; connections break.</summary>
    public void Stop() => As("pg_ctl", "-D", Data, "-w", "-m", "immediate", "stop");

    /// <summary>The connection string of a new database; skips the test where there is no server.</summary>
    public string NewDatabase()
    {
        Skip.If(WhyNot is not null, WhyNot);
        var name = $"results{Interlocked.Increment(ref databases)}";
        using var connection = new NpgsqlConnection(ConnectionTo("postgres"));
        connection.Open();
        using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        command.ExecuteNonQuery();
        return ConnectionTo(name);
    }

    public void Dispose()
    {
        NpgsqlConnection.ClearAllPools();
        if (WhyNot is null)
        {
            Stop();
        }

        Directory.Delete(root, recursive: true);
    }

    private string ConnectionTo(string database) => $"Host={root};Username=kag;Database={database};Timeout=5;Command Timeout=20";

    private void As(string program, params string[] arguments)
    {
        var path = Path.Combine(programs!, program);
        if (Environment.IsPrivilegedProcess)
        {
            Run("runuser", ["-u", user!, "--", path, .. arguments]);
        }
        else
        {
            Run(path, arguments);
        }
    }

    private void Run(string program, params string[] arguments)
    {
        // Its output is not ours to read to the end: the server that pg_ctl starts keeps it open.
        var start = new ProcessStartInfo("sh", ["-c", "exec \"$0\" \"$@\" >>\"$KAG_LOG\" 2>&1 </dev/null", program, .. arguments])
        {
            WorkingDirectory = "/",
            Environment = { ["KAG_LOG"] = root + ".out", ["LC_ALL"] = "C" },
        };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        var said = File.ReadAllText(root + ".out");
        File.Delete(root + ".out");
        process.ExitCode.Should().Be(0, "{0} {1} should succeed, but said: {2}", program, string.Join(' ', arguments), said);
    }

    private static string? FindPrograms() => (Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(folder => Path.Combine(folder, "bin")) : [])
        .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "pg_ctl")));

    private static string? FindUser() => File.Exists("/etc/passwd")
        ? OtherUsers.FirstOrDefault(name => File.ReadLines("/etc/passwd").Any(line => line.StartsWith(name + ":", StringComparison.Ordinal)))
        : null;
}

/// <summary>Tests that share one server; each makes databases of its own.</summary>
[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>
{
    public const string Name = "PostgreSQL";
}
