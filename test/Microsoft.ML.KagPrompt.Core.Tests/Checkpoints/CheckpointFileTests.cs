using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Checkpoints;

public sealed class CheckpointFileTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-checkpoints-").FullName;
    private readonly Dictionary<string, torch.Tensor> tensors;

    public CheckpointFileTests() => tensors = new() { ["a.weight"] = torch.arange(6, torch.ScalarType.Float32).view(2, 3), ["b"] = torch.tensor(7f) };

    [Theory]
    [InlineData("weights.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4789803111\n", "*Git LFS pointer*git lfs pull*")]
    [InlineData("weights.pth", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4789803111\n", "*Git LFS pointer*git lfs pull*")]
    [InlineData("model.safetensors.index.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "*Git LFS pointer*")]
    [InlineData("weights.pth", "\n <!DOCTYPE html><html><title>Sign in</title></html>", "*is a web page*")]
    [InlineData("weights.safetensors", "<html lang=\"en\">", "*is a web page*")]
    [InlineData("weights.pt", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "*is a web page*")]
    [InlineData("weights.bin", "Not Found", "*not a PyTorch checkpoint*")]
    [InlineData("weights.safetensors", "Not Found, and so on", "*not a safetensors file*")]
    [InlineData("weights.pth", "", "*is empty*")]
    public void Open_WhatIsNoWeights_IsCalledWhatItIs(string name, string content, string message)
    {
        File.WriteAllText(In(name), content);
        FluentActions.Invoking(() => CheckpointFile.Open(In(name))).Should().Throw<CheckpointFormatException>().WithMessage(message);
    }

    [Theory]
    [InlineData("safetensors", "weights.pth")]
    [InlineData("safetensors", "model.safetensors.index.json")]
    [InlineData("pytorch", "weights.safetensors")]
    [InlineData("pytorch", "weights")]
    [InlineData("index", "weights.bin")]
    public void Open_AnyName_GoesByContent(string format, string name)
    {
        var path = In(name);
        switch (format)
        {
            case "safetensors":
                TinyBackbones.WriteSafetensors(path, tensors);
                break;
            case "pytorch":
                TinyBackbones.WritePyTorch(path, tensors);
                break;
            default:
                Index(name, Shards());
                break;
        }

        using var file = CheckpointFile.Open(path);
        ShouldHoldAll(file);
    }

    [Theory]
    [InlineData("state_dict.")]
    [InlineData("model.")]
    [InlineData("module.")]
    [InlineData("state_dict.module.")]
    public void Open_WrappedWeights_AreUnwrapped(string wrapper)
    {
        TinyBackbones.WriteSafetensors(In("w"), tensors.ToDictionary(entry => wrapper + entry.Key, entry => entry.Value));
        using var file = CheckpointFile.Open(In("w"));
        ShouldHoldAll(file);
    }

    [Fact]
    public void Open_PyTorchDictionaryWithinAnother_IsUnwrapped()
    {
        TinyBackbones.WritePyTorch(In("w"), tensors, under: "state_dict");
        using var file = CheckpointFile.Open(In("w"));
        ShouldHoldAll(file);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { (byte)'P', (byte)'K' })]
    [InlineData(new byte[] { (byte)'{' })]
    [InlineData(new byte[] { (byte)' ', (byte)'{', (byte)'}' })]
    [InlineData(new byte[] { 0x80, 2, (byte)'}', (byte)'.' })]
    public void Open_NoWeights_IsRefused(byte[] content)
    {
        File.WriteAllBytes(In("w"), content);
        FluentActions.Invoking(() => CheckpointFile.Open(In("w")).Dispose()).Should().Throw<CheckpointFormatException>();
    }

    [Theory]
    [InlineData("../outside.safetensors", "*file name beside the index*")]
    [InlineData("/etc/passwd", "*file name beside the index*")]
    [InlineData("", "*file name beside the index*")]
    [InlineData("..", "*file name beside the index*")]
    [InlineData("absent.safetensors", "*'absent.safetensors'*not beside it*")]
    [InlineData("two.safetensors", "*'a.weight' is in 'two.safetensors', which does not hold it*")]
    public void OpenIndex_WrongPlaceOfATensor_IsRefused(string place, string message)
    {
        var map = Shards();
        TinyBackbones.WriteSafetensors(Path.Combine(folder, "..", "outside.safetensors"), tensors);
        try
        {
            Index("index.json", new Dictionary<string, string>(map) { ["a.weight"] = place });
            FluentActions.Invoking(() => CheckpointFile.Open(In("index.json")).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage(message);
        }
        finally
        {
            File.Delete(Path.Combine(folder, "..", "outside.safetensors"));
        }
    }

    [Theory]
    [InlineData("""{"weight_map":{}}""")]
    [InlineData("""{"weight_map":[]}""")]
    [InlineData("""{"other":{}}""")]
    [InlineData("""{"weight_map":{"a.weight":3}}""")]
    [InlineData("""{"weight_map":{"a.weight":"one.safetensors","a.weight":"one.safetensors","b":"two.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a.weight":"one.safetensors","b":"one.safetensors"}}""")]
    [InlineData("""{"weight_map":{"b":{"b":{"b":{"b":{"b":{"b":{"b":{"b":1}}}}}}}}}""")]
    [InlineData("""{"weight_map":""")]
    public void OpenIndex_Contradictory_IsRefused(string json)
    {
        Shards();
        File.WriteAllText(In("index.json"), json);
        FluentActions.Invoking(() => ShardedSafetensors.Open(In("index.json")).Dispose()).Should().Throw<CheckpointFormatException>();
    }

    [Fact]
    public void OpenIndex_DamagedShard_ReleasesTheOthers()
    {
        Index("index.json", Shards());
        File.WriteAllBytes(In("two.safetensors"), [1, 2, 3]);
        FluentActions.Invoking(() => CheckpointFile.Open(In("index.json")).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage("*two.safetensors*");
        File.Open(In("one.safetensors"), FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
    }

    [Fact]
    public void IsPyTorch_TellsCheckpointsFromOtherFiles()
    {
        TinyBackbones.WritePyTorch(In("checkpoint"), tensors);
        TinyBackbones.WriteSafetensors(In("safetensors"), tensors);
        using (var zip = ZipFile.Open(In("model.zip"), ZipArchiveMode.Create))
        {
            zip.CreateEntry("TransformerChain/Model.key").Open().Dispose();
        }

        string[] names = ["checkpoint", "safetensors", "model.zip"];
        names.Select(name => CheckpointFile.IsPyTorch(In(name))).Should().Equal(true, false, false);
    }

    [SkippableTheory]
    [InlineData("safetensors")]
    [InlineData("pytorch")]
    public void Read_FileCutMeanwhile_IsAnError(string format)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "elsewhere an open file cannot be cut");
        Action<string, IReadOnlyDictionary<string, torch.Tensor>> write = format == "pytorch" ? (path, all) => TinyBackbones.WritePyTorch(path, all) : TinyBackbones.WriteSafetensors;
        write(In("w"), new Dictionary<string, torch.Tensor> { ["a"] = torch.zeros(1 << 20) });
        using var file = CheckpointFile.Open(In("w"));
        using (var cut = Process.Start("truncate", ["-s", "1000000", In("w")])!)
        {
            cut.WaitForExit();
        }

        FluentActions.Invoking(() => file.Read("a")).Should().Throw<CheckpointFormatException>().WithMessage("*Fetch the file again*");
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string In(string name) => Path.Combine(folder, name);

    private Dictionary<string, string> Shards()
    {
        TinyBackbones.WriteSafetensors(In("one.safetensors"), new Dictionary<string, torch.Tensor> { ["a.weight"] = tensors["a.weight"] });
        TinyBackbones.WriteSafetensors(In("two.safetensors"), new Dictionary<string, torch.Tensor> { ["b"] = tensors["b"] });
        return new() { ["a.weight"] = "one.safetensors", ["b"] = "two.safetensors" };
    }

    private void Index(string name, Dictionary<string, string> map)
        => File.WriteAllText(In(name), JsonSerializer.Serialize(new { metadata = new { total_size = 28 }, weight_map = map }));

    private void ShouldHoldAll(ITensorSource file)
    {
        file.Entries.Keys.Should().BeEquivalentTo(tensors.Keys);
        foreach (var (name, tensor) in tensors)
        {
            file.Read(name).eq(tensor).all().ToBoolean().Should().BeTrue(name);
        }
    }
}
