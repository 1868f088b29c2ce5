using Microsoft.ML.KagPrompt.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Checkpoints;

public sealed class HashingTensorsTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string path = Path.GetTempFileName();

    public HashingTensorsTests()
    {
        using var file = File.Create(path);
        SafetensorsWriter.Write(file, Enumerable.Range(0, 20).ToDictionary(i => $"t{i:00}", i => torch.randn((i % 5) + 1, 70_000)), new Dictionary<string, string> { ["note"] = "x" });
    }

    [Theory]
    [InlineData("all in order")]
    [InlineData("all, backwards")]
    [InlineData("none")]
    [InlineData("first half")]
    [InlineData("every second")]
    [InlineData("first twice")]
    public void Complete_WhateverWasRead_IsTheFilesHash(string what)
    {
        using var file = SafetensorsFile.Open(path);
        using var hashing = new HashingTensors(file);
        string[] names = [.. file.InOrder];
        foreach (var name in what switch { "all in order" => names, "all, backwards" => names.Reverse(), "first half" => names[..10], "every second" => names.Where((_, i) => i % 2 == 0), "first twice" => [names[0], names[0]], _ => [] })
        {
            using var tensor = hashing.Read(name);
            using var same = file.Read(name);
            tensor.eq(same).all().ToBoolean().Should().BeTrue();
        }

        hashing.Complete().Should().Be(FileHash.Compute(path));
    }

    [Fact]
    public void Dispose_BeforeTheEnd_ReleasesEverything()
    {
        using (var file = SafetensorsFile.Open(path))
        {
            var hashing = new HashingTensors(file);
            hashing.Read("t00").Dispose();
            hashing.Dispose();
        }

        File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
    }

    public void Dispose()
    {
        scope.Dispose();
        File.Delete(path);
    }
}
