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
        { "names longer than any", Pickle(p => p.Empty().Text(new string('n', 2000)).Tensor("0", "FloatStorage", 6, 0, [1], [1]).Op('s')) },
        { "a dictionary that unfolds without end", Pickle(p => Doubling(p, 30)) },
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

    [Theory]
    [InlineData("model/data/0")]
    [InlineData("model/data.pkl")]
    public void Open_CompressedEntry_IsRefused(string compressed)
    {
        var path = Zip(Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 250000, 0, [250000], [1]).Op('s')), new byte[1_000_000], compressed);
        FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage($"*'{compressed}' stored plainly*");
    }

    [Fact]
    public void Open_LengthThatUnpacksToMore_IsRefused()
        => ShouldRefuse(whole => BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(DirectoryEntry(whole, 1) + 24), 2_000_000_000), "*stored plainly*");

    [Fact]
    public void Open_TwoEntriesOverTheSameBytes_AreRefused()
    {
        // The second entry's place in the directory becomes the first's, and the first's own header takes the second's name.
        ShouldRefuse(whole =>
        {
            var (first, second) = (DirectoryEntry(whole, 0), DirectoryEntry(whole, 1));
            whole.AsSpan(first + 42, 4).CopyTo(whole.AsSpan(second + 42));
        }, "*header of 'model/data/1'*");
        ShouldRefuse(whole =>
        {
            // The first entry reaches over the second.
            var (first, second) = (DirectoryEntry(whole, 0), DirectoryEntry(whole, 1));
            var length = BinaryPrimitives.ReadUInt32LittleEndian(whole.AsSpan(second + 42)) - BinaryPrimitives.ReadUInt32LittleEndian(whole.AsSpan(first + 42));
            BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(first + 20), length);
            BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(first + 24), length);
        }, "*do not overlap*");
    }

    [Theory]
    [InlineData(10, 0xFFFEU)]
    [InlineData(12, 0x7FFFFFFFU)]
    [InlineData(16, 0x7FFFFFFFU)]
    public void Open_DirectoryThatLies_IsRefused(int field, uint value) => ShouldRefuse(whole =>
    {
        var end = whole.AsSpan().LastIndexOf("PK\x05\x06"u8);
        if (field == 10)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(whole.AsSpan(end + field), (ushort)value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(end + field), value);
        }
    }, "*expected*got*");

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    public void Open_Zip64Directory_IsReadAndNotBelieved(long lie)
    {
        var small = File.ReadAllBytes(TwoStorages());
        var end = small.AsSpan().LastIndexOf("PK\x05\x06"u8);
        var (count, size, start) = (BinaryPrimitives.ReadUInt16LittleEndian(small.AsSpan(end + 10)), BinaryPrimitives.ReadUInt32LittleEndian(small.AsSpan(end + 12)), BinaryPrimitives.ReadUInt32LittleEndian(small.AsSpan(end + 16)));
        using var large = new MemoryStream();
        using var writer = new BinaryWriter(large);
        writer.Write(small[..end]);
        // Record: size of the rest, versions, disks, counts, size, start. Locator: disk, place, disks.
        writer.Write("PK\x06\x06"u8);
        writer.Write(44L);
        writer.Write((short)45);
        writer.Write((short)45);
        writer.Write(0);
        writer.Write(0);
        writer.Write((long)count);
        writer.Write((long)count);
        writer.Write((long)size);
        writer.Write(lie == 0 ? start : lie);
        writer.Write("PK\x06\x07"u8);
        writer.Write(0);
        writer.Write((long)end);
        writer.Write(1);
        var last = small[end..];
        BinaryPrimitives.WriteUInt32LittleEndian(last.AsSpan(16), uint.MaxValue);
        writer.Write(last);
        var path = Path.Combine(folder, "large.pth");
        File.WriteAllBytes(path, large.ToArray());
        if (lie == 0)
        {
            using var file = PyTorchCheckpoint.Open(path);
            using var tensor = file.Read("b");
            tensor.data<float>().ToArray().Should().Equal(0, 1, 2);
        }
        else
        {
            FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>();
        }
    }

    [Fact]
    public void Open_LegacyFile_SaysHowToConvert()
    {
        var path = Path.Combine(folder, "legacy.pth");
        File.WriteAllBytes(path, [0x80, 2, 0x8a, 10]);
        FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage("*torch.save(torch.load(path*");
    }

    [Fact]
    public void Open_TruncatedAtEveryPercent_IsRefused()
    {
        var whole = File.ReadAllBytes(Zip(Pickle(p => p.Empty().Text("a").Tensor("0", "FloatStorage", 64, 0, [64], [1]).Op('s')), Floats(64)));
        for (var percent = 0; percent < 100; percent++)
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

    private string Zip(byte[] pickle, byte[] storage, string compressed = "") => Zip([("model/data.pkl", pickle), ("model/data/0", storage)], compressed);

    private string Zip(IEnumerable<(string Name, byte[] Bytes)> entries, string compressed = "")
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.pth");
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, bytes) in entries)
        {
            using var stream = archive.CreateEntry(name, name == compressed ? CompressionLevel.Optimal : CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }

        return path;
    }

    /// <summary>Storages 0 and 1, tensors a and b, the pickle last.</summary>
    private string TwoStorages() => Zip(
    [
        ("model/data/0", Floats(6)), ("model/data/1", Floats(3)),
        ("model/data.pkl", Pickle(p => p.Empty().Mark().Text("a").Tensor("0", "FloatStorage", 6, 0, [6], [1]).Text("b").Tensor("1", "FloatStorage", 3, 0, [3], [1]).Op('u'))),
    ]);

    private void ShouldRefuse(Action<byte[]> harm, string message)
    {
        var whole = File.ReadAllBytes(TwoStorages());
        harm(whole);
        var path = Path.Combine(folder, "harmed.pth");
        File.WriteAllBytes(path, whole);
        FluentActions.Invoking(() => PyTorchCheckpoint.Open(path).Dispose()).Should().Throw<CheckpointFormatException>().WithMessage(message);
    }

    /// <summary>Where the n-th entry of the directory begins.</summary>
    private static int DirectoryEntry(byte[] zip, int n)
    {
        var at = (int)BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(zip.AsSpan().LastIndexOf("PK\x05\x06"u8) + 16));
        for (; n > 0; n--)
        {
            at += 46 + BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 28)) + BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 30)) + BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 32));
        }

        return at;
    }

    /// <summary>A dictionary that holds a smaller one of its kind twice: 2^depth ways to the innermost.</summary>
    private static void Doubling(PickleWriter p, int depth)
    {
        p.Empty().Op('q').Op(depth);
        if (depth > 0)
        {
            p.Mark().Text("a");
            Doubling(p, depth - 1);
            p.Text("b").Op('h').Op(depth - 1).Op('u');
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
