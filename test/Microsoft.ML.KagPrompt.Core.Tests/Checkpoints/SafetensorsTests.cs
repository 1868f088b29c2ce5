using System.Text;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-safetensors-").FullName;

    [Fact]
    public void WriteAndOpen_AllTypes_RoundTripAndRepeatTheSameBytes()
    {
        using var scope = torch.NewDisposeScope();
        torch.ScalarType[] types = [torch.ScalarType.Float64, torch.ScalarType.Float32, torch.ScalarType.Float16, torch.ScalarType.BFloat16, torch.ScalarType.Int64,
            torch.ScalarType.Int32, torch.ScalarType.Int16, torch.ScalarType.Int8, torch.ScalarType.Byte, torch.ScalarType.Bool];
        var tensors = types.ToDictionary(type => $"t.{type}", type => torch.arange(6, torch.ScalarType.Float32).view(2, 3).t().to_type(type));
        tensors["scalar"] = torch.tensor(7f);
        tensors["empty"] = torch.zeros(0, 3);
        var metadata = new Dictionary<string, string> { ["note"] = "grüße" };
        var (first, second) = (new MemoryStream(), new MemoryStream());
        SafetensorsWriter.Write(first, tensors, metadata);
        SafetensorsWriter.Write(second, tensors.Reverse().ToDictionary(), metadata);
        second.ToArray().Should().Equal(first.ToArray());

        var path = Path.Combine(folder, "all.safetensors");
        File.WriteAllBytes(path, first.ToArray());
        first.Position = 0;
        using var mapped = SafetensorsFile.Open(path);
        using var read = SafetensorsFile.Read(first, "memory");
        foreach (var file in (SafetensorsFile[])[mapped, read])
        {
            file.Metadata.Should().BeEquivalentTo(metadata);
            foreach (var (name, expected) in tensors)
            {
                var actual = file.Read(name);
                actual.dtype.Should().Be(expected.dtype);
                actual.shape.Should().Equal(expected.shape);
                actual.eq(expected).all().ToBoolean().Should().BeTrue(name);
            }
        }
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "sizes and offsets differ")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "bytes left over")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "a hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "a negative size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "sizes that overflow")]
    [InlineData("""{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}""", 4, "an unknown type")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "an overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "a name twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}}""", 4, "an offset beyond the file")]
    [InlineData("""{"a":[1]}""", 0, "no entry")]
    [InlineData("""{"a":{"dtype":"F32","shape":"x","data_offsets":[0,4]}}""", 4, "a size that is text")]
    [InlineData("{", 0, "broken JSON")]
    public void Open_ContradictoryHeader_IsRefused(string json, int dataLength, string what)
    {
        var path = WithHeader((ulong)json.Length, json, dataLength);
        FluentActions.Invoking(() => SafetensorsFile.Open(path).Dispose()).Should().Throw<CheckpointFormatException>(what);
    }

    [Theory]
    [InlineData(1UL << 63)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1000UL)]
    public void Open_HeaderLongerThanTheFile_IsRefused(ulong length)
        => FluentActions.Invoking(() => SafetensorsFile.Open(WithHeader(length, "{}", 0)).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage($"*{length}*");

    [Fact]
    public void Open_TruncatedAtEveryPercent_IsRefused()
    {
        using var tensor = torch.arange(100, torch.ScalarType.Float32);
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, new Dictionary<string, torch.Tensor> { ["a"] = tensor }, new Dictionary<string, string>());
        var whole = stream.ToArray();
        for (var percent = 0; percent < 100; percent++)
        {
            using var cut = new MemoryStream(whole[..(whole.Length * percent / 100)]);
            FluentActions.Invoking(() => SafetensorsFile.Read(cut, "cut")).Should().Throw<CheckpointFormatException>($"{percent} %");
        }
    }

    [Fact]
    public void StrictLoad_WrongNamesAndShapes_AreListedTogether()
    {
        using var scope = torch.NewDisposeScope();
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, new Dictionary<string, torch.Tensor> { ["layer.weigth"] = torch.zeros(2), ["shape"] = torch.zeros(3) }, new Dictionary<string, string>());
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "weights");
        var targets = new Dictionary<string, long[]> { ["layer.weight"] = [2], ["shape"] = [4] };
        FluentActions.Invoking(() => StrictLoad.Check(targets, file)).Should().Throw<CheckpointMismatchException>()
            .WithMessage("*1 missing: layer.weight (nearest there: layer.weigth)*1 unexpected: layer.weigth*1 of another shape: shape: expected [4], got [3]*");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string WithHeader(ulong length, string json, int dataLength)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.safetensors");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes(length), .. Encoding.UTF8.GetBytes(json), .. new byte[dataLength]]);
        return path;
    }
}
