using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Checkpoints;

public sealed class PyTorchCheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-pickles-").FullName;

    [Fact]
    public void Open_NestedDictionaryOfViews_ReadsEachTensor()
    {
        // {"a": view of 2 × 2 at offset 1 with transposed strides, "b": {"c": whole}} over one storage 0..5.
        var path = Zip(Pickle(p => p.Empty().Mark()
            .Text("a").Tensor("0", "FloatStorage", 6, 1, [2, 2], [1, 2])
            .Text("b").Empty().Text("c").Tensor("0", "FloatStorage", 6, 0, [6], [1]).Op('s')
            .Op('u')), Floats(6));
        using var file = PyTorchCheckpoint.Open(path);
        using var a = file.Read("a");
        using var c = file.Read("b.c");
        a.data<float>().ToArray().Should().Equal(1, 3, 2, 4);
        c.data<float>().ToArray().Should().Equal(0, 1, 2, 3, 4, 5);
    }

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void Open_ReleasedHead_ListsItsParameters()
    {
        using var file = PyTorchCheckpoint.Open(SharedFiles.Golden("kag_released_tiny.pth"));
        file.Entries.Keys.Should().Contain(["adapter.linear1.weight", "mmci.conv4.bias", "aGNN.ConvGRU.out_gate.weight"]);
        foreach (var (name, info) in file.Entries)
        {
            using var tensor = file.Read(name);
            tensor.shape.Should().Equal(info.Shape);
            tensor.isfinite().all().ToBoolean().Should().BeTrue();
        }
    }

    public static TheoryData<string, byte[]> Hostile => new()
    {
        { "calls a function", Pickle(p => p.Global("os", "system").Text("echo").Op(0x85).Op('R')) },
        { "names a function", Pickle(p => p.Global("builtins", "eval")) },
        { "another torch function", Pickle(p => p.Global("torch", "load")) },
        { "offset beyond the storage", Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 6, 7, [1], [1]).Op('s')) },
        { "size beyond the storage", Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 6, 0, [7], [1]).Op('s')) },
        { "stride beyond the storage", Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 6, 0, [2], [6]).Op('s')) },
        { "sizes that overflow", Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 6, 0, [2000000000, 2000000000, 2000000000], [2000000000, 2000000000, 2000000000]).Op('s')) },
        { "a view that unpacks to much more", Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 6, 0, [1000000, 1000000], [0, 0]).Op('s')) },
        { "negative size", Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 6, 0, [-1], [1]).Op('s')) },
        { "storage that is not there", Pickle(p => p.Empty().Text("a").Tensor("9", "FloatStorage", 6, 0, [1], [1]).Op('s')) },
        { "storage outside the folder", Pickle(p => p.Empty().Text("a").Tensor("../0", "FloatStorage", 6, 0, [1], [1]).Op('s')) },
        { "a name twice", Pickle(p => p.Empty().Mark().Text("a").Tensor("0", "FloatStorage", 6, 0, [1], [1]).Text("a").Tensor("0", "FloatStorage", 6, 1, [1], [1]).Op('u')) },
        { "a dictionary within itself", Pickle(p => p.Empty().Op('q').Op(0).Text("a").Op('h').Op(0).Op('s')) },
        { "an empty stack", Pickle(p => p.Op('R')) },
        { "an unknown instruction", Pickle(p => p.Op(0xff)) },
        { "no end", [0x80, 2, (byte)'}'] },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Open_HostilePickle_IsRefused(string what, byte[] pickle)
    {
        var path = Zip(pickle, Floats(6));
        FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>(what);
    }

    [Fact]
    public void Open_FunctionCall_NamesWhatItWanted()
    {
        var path = Zip(Pickle(p => p.Global("os", "system").Text("echo").Op(0x85).Op('R')), Floats(6));
        FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage("*'os.system'*refused*");
    }

    [Fact]
    public void Open_CompressedStorage_IsRefused()
    {
        var path = Zip(Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 250000, 0, [250000], [1]).Op('s')), new byte[1_000_000], CompressionLevel.Optimal);
        FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage("*stored plainly*");
    }

    [Fact]
    public void Open_LegacyFile_SaysHowToConvert()
    {
        var path = Path.Combine(folder, "legacy.pth");
        File.WriteAllBytes(path, [0x80, 2, 0x8a, 10]);
        FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage("*torch.save(torch.load(path*");
    }

    [Fact]
    public void Open_TruncatedAnywhere_IsRefusedOrReadsTheSame()
    {
        var whole = File.ReadAllBytes(Zip(Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 64, 0, [64], [1]).Op('s')), Floats(64)));
        for (var percent = 0; percent < 100; percent += 3)
        {
            var path = Path.Combine(folder, "cut.pth");
            File.WriteAllBytes(path, whole[..(whole.Length * percent / 100)]);
            FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>($"{percent} %");
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static byte[] Floats(int count)
    {
        var bytes = new byte[4 * count];
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), i);
        }

        return bytes;
    }

    private string Zip(byte[] pickle, byte[] storage, CompressionLevel level = CompressionLevel.NoCompression)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.pth");
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Add("model/data.pkl", pickle, CompressionLevel.NoCompression);
        Add("model/data/0", storage, level);
        return path;

        void Add(string name, byte[] bytes, CompressionLevel how)
        {
            using var stream = archive.CreateEntry(name, how).Open();
            stream.Write(bytes);
        }
    }

    private static byte[] Pickle(Action<PickleWriter> write)
    {
        var writer = new PickleWriter();
        writer.Op(0x80).Op(2);
        write(writer);
        return writer.Op('.').ToArray();
    }
}
