// The build program behind build.sh and build.ps1: sets up what is missing, then does one thing.
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

const string Usage = """
    ./build.sh demo [FOLDER]          fits and scores rendered parts, or the photographs of a folder; writes pictures and a page
    ./build.sh station [ARGUMENTS]    starts the inspection station with a demo product, in artifacts/station; the arguments go to it (--help lists them)
    ./build.sh test [ARGUMENTS]       runs all tests; the arguments go to dotnet test
    ./build.sh evaluate ARGUMENTS     few-shot figures of data sets: --data FOLDER... [--shots 1,2,4] [--seeds 5] ...; the arguments go to kagprompt evaluate
    ./build.sh bench                  runs the benchmarks
    ./build.sh soak [--quick]         runs the long trials (or a small share): images, a service, kills, flipped bits, silos, stations, mutated files; prints one JSON object
    ./build.sh licences               lists the licence of every package the libraries bring along
    ./build.sh pack                   packs the libraries and the tool into artifacts/packages
    """;

var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(SourcePath())!, "..", ".."));
var rest = args.Skip(1).ToArray();
switch (args.FirstOrDefault())
{
    case "demo":
        return SetUp() ?? Dotnet(["run", "--project", "examples/QuickStart", "-c", "Release", "--", .. rest]);
    case "station":
        return SetUp() ?? Dotnet(["run", "--project", "src/Microsoft.ML.KagPrompt.Station", "-c", "Release", "--", "--demo", "--data", "artifacts/station", .. rest]);
    case "evaluate":
        return SetUp() ?? Dotnet(["run", "--project", "src/Microsoft.ML.KagPrompt.Cli", "-c", "Release", "--", "evaluate", .. rest]);
    case "bench":
        return SetUp() ?? Dotnet(["run", "--project", "test/Microsoft.ML.KagPrompt.Benchmarks", "-c", "Release", "--", .. rest]);
    case "test":
        return SetUp() ?? Test(rest);
    case "soak":
        return SetUp() ?? Dotnet(["run", "--project", "test/Microsoft.ML.KagPrompt.Soak", "-c", "Release", "--", .. rest]);
    case "licences":
        return Licences();
    case "pack":
        return Pack();
    default:
        Console.WriteLine(Usage);
        return args.Length == 0 || args[0] is "help" or "-h" or "--help" ? 0 : 2;
}

static string SourcePath([CallerFilePath] string path = "") => path;

// Each project's results as a .trx file, summed to one line that ends the output.
int Test(string[] arguments)
{
    InstallForTests();
    var results = Path.Combine(root, "artifacts", "test-results");
    if (Directory.Exists(results))
    {
        Directory.Delete(results, recursive: true);
    }

    if (Dotnet(["build", "Microsoft.ML.KagPrompt.sln", "-c", "Release", "-v", "quiet", "-nologo"]) is not 0 and var failed)
    {
        Console.WriteLine("The build failed.");
        return failed;
    }

    // Two projects at a time, each on half of the cores: much of a test is one thread's work. The longest begin: by their
    // source, but for two that fit and train more than their source is long. The station's tests, which wait for a browser
    // most of the time, run beside the two.
    var projects = Directory.GetFiles(Path.Combine(root, "test"), "*.Tests.csproj", SearchOption.AllDirectories)
        .OrderByDescending(project => project.Contains(".Cli.", StringComparison.Ordinal) ? long.MaxValue
            : project.Contains(".Pretraining.", StringComparison.Ordinal) ? 200_000 : SourceLength(Path.GetDirectoryName(project)!)).ToArray();
    var threads = Math.Max(1, Environment.ProcessorCount / 2);
    var codes = new int[projects.Length];
    var (said, next) = (new Lock(), -1);
    var waits = Array.FindIndex(projects, project => project.Contains(".Station.", StringComparison.Ordinal));
    void Run(int i)
    {
        var name = Path.GetFileNameWithoutExtension(projects[i]);
        codes[i] = Captured(["test", projects[i], "-c", "Release", "--no-build", "--nologo", "--logger", $"trx;LogFileName={name}.trx",
            "--results-directory", results, .. arguments], out var text, ("OMP_NUM_THREADS", $"{threads}"));
        lock (said)
        {
            Console.WriteLine($"-- {name}");
            Console.Write(text);
        }
    }

    void Lane()
    {
        while (Interlocked.Increment(ref next) is var i && i < projects.Length)
        {
            if (i != waits)
            {
                Run(i);
            }
        }
    }

    Parallel.Invoke(Lane, Lane, () => Run(waits));
    var (passed, wrong, skipped, worst) = (0, 0, 0, 0);
    foreach (var (project, code) in projects.Zip(codes))
    {
        var file = Path.Combine(results, Path.GetFileNameWithoutExtension(project) + ".trx");
        var (p, f, s) = File.Exists(file) ? Count(file) : (0, 0, 0);
        // A run that broke without naming a failed test still failed.
        f = code != 0 && f == 0 ? 1 : f;
        (passed, wrong, skipped, worst) = (passed + p, wrong + f, skipped + s, Math.Max(worst, code));
    }

    Console.WriteLine($"{passed} passed, {wrong} failed, {skipped} skipped");
    return worst != 0 || wrong > 0 ? 1 : 0;
}

static long SourceLength(string folder)
    => new DirectoryInfo(folder).EnumerateFiles("*.cs", SearchOption.AllDirectories).Sum(file => file.Length);

// What it says is told when it is done, or lines of two would mix.
int Captured(string[] arguments, out string text, (string Name, string Value) variable)
{
    var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true };
    start.Environment[variable.Name] = variable.Value;
    var lines = new StringBuilder();
    void Add(object sender, DataReceivedEventArgs line)
    {
        lock (lines)
        {
            lines.AppendLine(line.Data);
        }
    }

    using var process = Process.Start(start)!;
    process.OutputDataReceived += Add;
    process.ErrorDataReceived += Add;
    process.BeginOutputReadLine();
    process.BeginErrorReadLine();
    process.WaitForExit();
    text = lines.ToString().TrimEnd() + Environment.NewLine;
    return process.ExitCode;
}

static (int Passed, int Failed, int Skipped) Count(string trx)
{
    var document = XDocument.Load(trx);
    var space = document.Root!.Name.Namespace;
    var outcomes = document.Descendants(space + "UnitTestResult").ToArray();
    foreach (var skip in outcomes.Where(result => (string?)result.Attribute("outcome") == "NotExecuted"))
    {
        Console.WriteLine($"   skipped {skip.Attribute("testName")?.Value}: {skip.Descendants(space + "Message").FirstOrDefault()?.Value ?? skip.Descendants(space + "StdOut").FirstOrDefault()?.Value}");
    }

    int Count(string outcome) => outcomes.Count(result => (string?)result.Attribute("outcome") == outcome);
    return (Count("Passed"), outcomes.Length - Count("Passed") - Count("NotExecuted"), Count("NotExecuted"));
}

int Pack()
{
    foreach (var project in Directory.GetDirectories(Path.Combine(root, "src")).Order())
    {
        if (Dotnet(["pack", project, "-c", "Release", "-o", Path.Combine(root, "artifacts", "packages"), "-nologo", "-v", "quiet", .. rest]) is not 0 and var code)
        {
            return code;
        }
    }

    Console.WriteLine($"Packages are in {Path.Combine(root, "artifacts", "packages")}.");
    return 0;
}

// As the packages themselves say, of what restoring the libraries and the tool brought; what only builds them is marked.
int Licences()
{
    var packages = new SortedDictionary<string, (string Licence, bool Ships)>(StringComparer.OrdinalIgnoreCase);
    foreach (var project in Directory.GetDirectories(Path.Combine(root, "src")).Order())
    {
        if (Dotnet(["restore", project, "-v", "quiet"]) is not 0 and var code)
        {
            return code;
        }

        using var assets = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(project, "obj", "project.assets.json")));
        var folders = assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name).ToArray();
        // Those that ship reach a program that is compiled against the library, or run with it.
        var ships = assets.RootElement.GetProperty("targets").EnumerateObject().SelectMany(target => target.Value.EnumerateObject())
            .Where(package => new[] { "runtime", "runtimeTargets", "native" }.Any(kind => package.Value.TryGetProperty(kind, out _)))
            .Select(package => package.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var library in assets.RootElement.GetProperty("libraries").EnumerateObject().Where(library => library.Value.GetProperty("type").GetString() == "package"))
        {
            var path = folders.Select(folder => Path.Combine(folder, library.Value.GetProperty("path").GetString()!)).First(Directory.Exists);
            packages[library.Name] = (LicenceOf(path), ships.Contains(library.Name) || (packages.TryGetValue(library.Name, out var known) && known.Ships));
        }
    }

    foreach (var (name, (licence, ships)) in packages)
    {
        Console.WriteLine($"{name.Replace('/', ' '),-56} {licence}{(ships ? "" : " (nothing of it is run)")}");
    }

    return packages.Values.Any(package => package.Licence.Length == 0) ? 1 : 0;
}

static string LicenceOf(string package)
{
    var metadata = XDocument.Load(Directory.GetFiles(package, "*.nuspec").Single()).Root!.Elements().First(element => element.Name.LocalName == "metadata");
    var licence = metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "license");
    return licence?.Attribute("type")?.Value == "file" ? $"file {licence.Value}: {FirstLine(Path.Combine(package, licence.Value))}"
        : licence?.Value ?? metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "licenseUrl")?.Value ?? "";
}

static string FirstLine(string file) => File.Exists(file) ? File.ReadLines(file).Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0) ?? "" : "";

int Dotnet(string[] arguments) => Run("dotnet", arguments, root);

static int Run(string program, string[] arguments, string? folder = null, params (string Name, string Value)[] variables)
{
    var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder ?? "" };
    foreach (var (name, value) in variables)
    {
        start.Environment[name] = value;
    }

    using var process = Process.Start(start)!;
    process.WaitForExit();
    return process.ExitCode;
}

// libtorch's .NET binding needs the C++ library of GCC 13. Returns null when all is there, else an exit code.
int? SetUp()
{
    const string Needed = "GLIBCXX_3.4.32";
    if (!OperatingSystem.IsLinux() || HasSymbol(Needed))
    {
        return null;
    }

    var release = File.Exists("/etc/os-release") ? File.ReadAllLines("/etc/os-release") : [];
    if (release.Contains("ID=debian") && release.Any(line => line.StartsWith("VERSION_ID=\"12", StringComparison.Ordinal)) && Environment.UserName == "root")
    {
        Console.WriteLine($"libstdc++ lacks {Needed}; installing it from Debian 13 (trixie).");
        return InstallFromTrixie() && HasSymbol(Needed) ? null : Missing(Needed);
    }

    return Missing(Needed);
}

static bool HasSymbol(string symbol)
{
    string[] folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib", .. (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)];
    return folders.Select(folder => Path.Combine(folder, "libstdc++.so.6")).Where(File.Exists)
        .Any(file => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.ASCII.GetBytes(symbol + "\0")) >= 0);
}

// The report and the station are tested in a browser, results with PostgreSQL's programs. Without them such tests say that they were skipped, and why; so a failure
// here is told, not fatal.
static void InstallForTests()
{
    string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
        .. Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")) : []];
    bool Has(params string[] names) => folders.Any(folder => names.Any(name => File.Exists(Path.Combine(folder, name))));
    string[] missing = [.. Has("chromium", "chromium-browser", "google-chrome") ? [] : (string[])["chromium", "fonts-dejavu-core"], .. Has("initdb") ? [] : (string[])["postgresql"]];
    if (!OperatingSystem.IsLinux() || missing.Length == 0)
    {
        return;
    }

    if (!IsDebian() || Environment.UserName != "root")
    {
        Console.WriteLine($"Not installed: {string.Join(", ", missing)}. Tests that need it will be skipped.");
        return;
    }

    Console.WriteLine($"Installing {string.Join(", ", missing)} for the tests.");
    if (missing.Contains("postgresql") && !Directory.Exists("/etc/postgresql-common"))
    {
        // The tests start servers of their own; the package shall start none.
        Directory.CreateDirectory("/etc/postgresql-common");
        File.WriteAllText("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n");
    }

    (string, string)[] quiet = [("DEBIAN_FRONTEND", "noninteractive"), ("UCF_FORCE_CONFFOLD", "1")];
    if (Run("apt-get", ["update", "-qq"], null, quiet) != 0
        || Run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", .. missing], null, quiet) != 0)
    {
        Console.WriteLine("That failed. Tests that need it will be skipped.");
    }
}

static bool IsDebian() => File.Exists("/etc/os-release") && File.ReadAllLines("/etc/os-release").Contains("ID=debian");

// The mirror this machine already uses, so that it works behind one; trixie only where asked for.
static bool InstallFromTrixie()
{
    var mirror = Directory.GetFiles("/etc/apt/sources.list.d").Append("/etc/apt/sources.list").Where(File.Exists).SelectMany(File.ReadAllLines)
        .Where(line => !line.TrimStart().StartsWith('#'))
        .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .FirstOrDefault(word => word.StartsWith("http", StringComparison.Ordinal) && word.TrimEnd('/').EndsWith("/debian", StringComparison.Ordinal)) ?? "http://deb.debian.org/debian";
    File.WriteAllText("/etc/apt/sources.list.d/trixie.sources",
        $"Types: deb\nURIs: {mirror}\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
    File.WriteAllText("/etc/apt/preferences.d/trixie", "Package: *\nPin: release n=trixie\nPin-Priority: 100\n");
    (string, string)[] quiet = [("DEBIAN_FRONTEND", "noninteractive")];
    return Run("apt-get", ["update", "-qq"], null, quiet) == 0
        && Run("apt-get", ["install", "-y", "-qq", "-t", "trixie", "-o", "Dpkg::Options::=--force-confold", "libstdc++6"], null, quiet) == 0;
}

static int Missing(string symbol)
{
    Console.Error.WriteLine($"""
        This system's libstdc++ has no {symbol}, which libtorch's .NET binding needs ({RuntimeInformation.OSDescription}).
        It comes with GCC 13: Ubuntu 24.04, Debian 13 and Fedora 38 have it. On Debian 12, run this command once as root and the
        build installs it from Debian 13; elsewhere install libstdc++ of GCC 13 or newer.
        """);
    return 3;
}
