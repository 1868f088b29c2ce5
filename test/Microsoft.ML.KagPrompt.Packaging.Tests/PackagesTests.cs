using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Packaging.Tests;

public sealed class PackagesTests(PackedFeed feed) : IClassFixture<PackedFeed>, IDisposable
{
    private static readonly string System = OperatingSystem.IsWindows() ? "win-x64" : "linux-x64";

    private readonly string root = Directory.CreateTempSubdirectory("kagprompt-packages-").FullName;

    [Fact]
    public void Packages_InAFreshConsoleProject_FitSaveAndLoadInAnotherProcess()
    {
        var project = In("consumer");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Consumer", "Program.cs"), Path.Combine(project, "Program.cs"));
        File.WriteAllText(Path.Combine(project, "Consumer.csproj"), Project("Microsoft.ML.KagPrompt", $"""<PackageReference Include="libtorch-cpu-{System}" Version="{PackedFeed.Metadata("LibTorchVersion")}" Condition="'$(TorchPackage)' != 'none'" />"""));
        File.WriteAllText(Path.Combine(project, "nuget.config"), Sources());
        Dotnet("build", project, "-c", "Release", "-nologo", "-v", "quiet");
        Directory.GetDirectories(Path.Combine(root, "packages")).Select(Path.GetFileName)
            .Should().Contain(["microsoft.ml.kagprompt", "microsoft.ml.kagprompt.core"], "the packages must be the ones just packed");

        var images = Enumerable.Range(0, 4).Select(i => Path.Combine(root, $"part{i}.png")).ToArray();
        for (var i = 0; i < images.Length; i++)
        {
            TestImages.Write(TestImages.Part(96, 90, i), images[i]);
        }

        var program = Path.Combine(project, "bin", "Release", "net10.0", "Consumer.dll");
        var zip = Path.Combine(root, "part.zip");
        var fitted = Dotnet(["exec", program, "fit", zip, .. images]);
        fitted.Should().HaveCount(4).And.AllSatisfy(line => line.Should().StartWith("score "));
        Dotnet(["exec", program, "load", zip, .. images]).Should().Equal(fitted);

        // An application that forgot the native library is told so while it is built, with the versions that fit; one that has it is not.
        string[] Warnings(string runtime)
            => [.. Dotnet("msbuild", project, "-restore", "-t:ResolvePackageAssets", $"-p:TorchPackage={runtime}", "-nologo", "-v:quiet")
                .Where(line => line.Contains("KAGPROMPT001"))];
        Warnings("none").Should().NotBeEmpty()
            .And.OnlyContain(line => line.Contains($"version {PackedFeed.Metadata("LibTorchVersion")}")
            && line.Contains("Consumer uses Microsoft.ML.KagPrompt"));
        Warnings("cpu").Should().BeEmpty();
    }

    [Fact]
    public void OnnxPackage_InAFreshConsoleProject_ScoresWithoutTorch()
    {
        var project = In("small");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "SmallConsumer", "Program.cs"), Path.Combine(project, "Program.cs"));
        File.WriteAllText(Path.Combine(project, "Small.csproj"), Project("Microsoft.ML.KagPrompt.Onnx"));
        File.WriteAllText(Path.Combine(project, "nuget.config"), Sources());
        Dotnet("build", project, "-c", "Release", "-nologo", "-v", "quiet");
        var used = File.ReadAllText(Path.Combine(project, "obj", "project.assets.json"));
        used.Should().Contain("Microsoft.ML.KagPrompt.Onnx/").And.NotContainEquivalentOf("TorchSharp").And.NotContain("libtorch").And.NotContain("KagPrompt.Core");

        ScoresWithoutTorch("small", "Small");
    }

    /// <summary>What the page on deploying promises of a program for small computers.</summary>
    [SkippableFact]
    public void SmallComputer_Published_TakesAtMost70MegabytesAndScores()
    {
        Skip.If(OperatingSystem.IsWindows(), "the figure is of Linux");
        var (project, folder, example) = (In("published"), Path.Combine(root, "folder"), Path.Combine(AppContext.BaseDirectory, "SmallComputer"));
        File.Copy(Path.Combine(example, "Program.cs"), Path.Combine(project, "Program.cs"));
        var text = File.ReadAllText(Path.Combine(example, "SmallComputer.csproj"));
        var reference = Regex.Match(text, "<ProjectReference [^>]*Microsoft.ML.KagPrompt.Onnx.csproj\" />").Value;
        reference.Should().NotBeEmpty("the package takes its place here");
        File.WriteAllText(Path.Combine(project, "SmallComputer.csproj"), text
            .Replace(reference, $"""<PackageReference Include="Microsoft.ML.KagPrompt.Onnx" Version="{PackedFeed.Metadata("Version")}" />""")
            .Replace("<PropertyGroup>", "<PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable>"
                + "<ImplicitUsings>enable</ImplicitUsings><InvariantGlobalization>true</InvariantGlobalization><NuGetAudit>false</NuGetAudit>"));
        File.WriteAllText(Path.Combine(project, "nuget.config"), Sources());
        string[] told = [];
        try
        {
            Dotnet("publish", project, "-c", "Release", "-r", System, "-o", folder, "-nologo", "-v", "quiet");
        }
        catch (Exception fault) when (fault.Message.Contains("NU1101") || fault.Message.Contains("NU1102"))
        {
            told = [.. Regex.Matches(fault.Message, @"NU110\d: [^\n]*").Select(match => match.Value)];
        }

        Skip.If(told.Length > 0 && told.All(line => line.Contains("Microsoft.NET")), $".NET's own parts of a self-contained program are not on this machine: {string.Join(' ', told.Take(1))}");
        told.Should().BeEmpty();
        new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length).Should().BeLessThanOrEqualTo(70 << 20);

        var photographs = In("photographs");
        TestImages.Write(TestImages.Part(96, 90, 9), Path.Combine(photographs, "part.png"));
        using var model = KagPromptTrainer.Fit(
            Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(96, 90, i), ClassName = "part" }),
            new() { Images = new() { Size = 112 }, Device = "cpu" });
        using var lenient = model.WithThreshold(float.PositiveInfinity);
        lenient.ExportOnnx(Path.Combine(root, "small.onnx"));
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(folder, "SmallComputer"), [Path.Combine(root, "small.onnx"), photographs]) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd().Should().Contain("part.png: good, score 0.", "what is trimmed still scores");
        process.WaitForExit();
        process.ExitCode.Should().Be(0);
    }

    [Fact]
    public void HostingPackage_InAFreshProject_HostsAnExportedFileWithoutTorch()
    {
        var project = In("hosting");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "HostingConsumer", "Program.cs"), Path.Combine(project, "Program.cs"));
        File.WriteAllText(Path.Combine(project, "Hosting.csproj"), Project("Microsoft.ML.KagPrompt.Onnx", $"""
            <PackageReference Include="Microsoft.ML.KagPrompt.Hosting" Version="{PackedFeed.Metadata("Version")}" />
            <PackageReference Include="Microsoft.Extensions.Hosting" Version="{PackedFeed.Metadata("ExtensionsVersion")}" />
            """));
        File.WriteAllText(Path.Combine(project, "nuget.config"), Sources());
        Dotnet("build", project, "-c", "Release", "-nologo", "-v", "quiet");
        File.ReadAllText(Path.Combine(project, "obj", "project.assets.json")).Should().Contain("Microsoft.ML.KagPrompt.Hosting/")
            .And.NotContainEquivalentOf("TorchSharp").And.NotContain("libtorch").And.NotContain("KagPrompt.Core");
        ScoresWithoutTorch("hosting", "Hosting");
    }

    /// <summary>Runs a built consumer on an exported model and a photograph.</summary>
    private void ScoresWithoutTorch(string project, string program)
    {
        var (image, file) = (Path.Combine(root, "part.png"), Path.Combine(root, "part.onnx"));
        TestImages.Write(TestImages.Part(96, 90, 9), image);
        using var model = KagPromptTrainer.Fit(
            Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(96, 90, i), ClassName = "part" }),
            new() { Images = new() { Size = 112 }, Device = "cpu" });
        model.ExportOnnx(file);
        var lines = Dotnet("exec", Path.Combine(root, project, "bin", "Release", "net10.0", $"{program}.dll"), file, image);
        float.Parse(lines[0], global::System.Globalization.CultureInfo.InvariantCulture).Should().BeApproximately(model.Inspect(ImageCodec.Read(image)).Score, 1e-5f);
        lines[1..].Should().Contain(library => library.Contains("onnxruntime")).And.NotContain(library => library.Contains("torch", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void ResultsPackages_InAFreshConsoleProject_RecordAndServeWithoutTorch()
    {
        var project = In("results");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "ResultsConsumer", "Program.cs"), Path.Combine(project, "Program.cs"));
        File.WriteAllText(Path.Combine(project, "Results.csproj"), Project("Microsoft.ML.KagPrompt.Results.AspNetCore"));
        File.WriteAllText(Path.Combine(project, "nuget.config"), Sources());
        Dotnet("build", project, "-c", "Release", "-nologo", "-v", "quiet");
        var used = File.ReadAllText(Path.Combine(project, "obj", "project.assets.json"));
        used.Should().Contain("Microsoft.ML.KagPrompt.Results/").And.NotContainEquivalentOf("TorchSharp").And.NotContain("libtorch")
            .And.NotContain("OnnxRuntime").And.NotContain("EntityFrameworkCore.Design");
        var program = Path.Combine(project, "bin", "Release", "net10.0", "Results.dll");
        Dotnet("exec", program, Path.Combine(root, "kept")).Should().Equal("bolt 0.5", "Unauthorized", "OK");
    }

    [Fact]
    public void OrleansPackage_InAFreshConsoleProject_IsAPlantThatAnswersWithoutTorch()
    {
        var project = In("plant");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "PlantConsumer", "Program.cs"), Path.Combine(project, "Program.cs"));
        File.WriteAllText(Path.Combine(project, "Plant.csproj"), Project("Microsoft.ML.KagPrompt.Orleans",
            $"""<PackageReference Include="Microsoft.ML.KagPrompt.Onnx" Version="{PackedFeed.Metadata("Version")}" />"""));
        File.WriteAllText(Path.Combine(project, "nuget.config"), Sources());
        Dotnet("build", project, "-c", "Release", "-nologo", "-v", "quiet");
        File.ReadAllText(Path.Combine(project, "obj", "project.assets.json")).Should().Contain("Microsoft.ML.KagPrompt.Orleans/")
            .And.NotContainEquivalentOf("TorchSharp").And.NotContain("libtorch").And.NotContain("KagPrompt.Core");
        ScoresWithoutTorch("plant", "Plant");
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static string Project(string package, string further = "") => $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <PlatformTarget>x64</PlatformTarget>
                <NuGetAudit>false</NuGetAudit>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="{package}" Version="{PackedFeed.Metadata("Version")}" />
                {further}
              </ItemGroup>
            </Project>
            """;

    /// <summary>Ours come from the new feed into a folder of their own; the others, half a gigabyte, from where they are unpacked already.</summary>
    private string Sources()
    {
        var unpacked = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        return $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Path.Combine(root, "packages")}" /></config>
              <fallbackPackageFolders><add key="unpacked" value="{unpacked}" /></fallbackPackageFolders>
              <packageSources><add key="packed" value="{feed.Folder}" /></packageSources>
            </configuration>
            """;
    }

    private string In(string folder) => Directory.CreateDirectory(Path.Combine(root, folder)).FullName;

    private string[] Dotnet(params string[] arguments) => PackedFeed.Dotnet(root, arguments);
}
