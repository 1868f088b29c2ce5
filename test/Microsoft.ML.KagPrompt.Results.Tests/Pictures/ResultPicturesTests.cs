using Microsoft.ML.KagPrompt.Results.Pictures;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Pictures;

public sealed class ResultPicturesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void Write_TheSameBytesTwice_IsOneFileInFoldersOfTwoLevels()
    {
        var host = ResultsHost.Idle(folder.Path);
        var hash = host.Pictures.Pictures.Write("one"u8.ToArray());
        host.Pictures.Pictures.Write("one"u8.ToArray()).Should().Be(hash);
        hash.Should().Be("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed", "that is its SHA-256");
        Directory.GetFiles(folder.In("pictures"), "*", SearchOption.AllDirectories).Should().Equal(folder.In("pictures", "76", "92", hash));
    }

    [Fact]
    public async Task Read_DamagedFile_IsRefusedUntilItIsRecordedAgain()
    {
        await using var host = ResultsHost.Idle(folder.Path);
        var hash = host.Pictures.Pictures.Write("one"u8.ToArray());
        var path = folder.In("pictures", hash[..2], hash[2..4], hash);
        File.WriteAllText(path, "two");
        await host.Pictures.Awaiting(pictures => pictures.ReadPictureAsync(hash)).Should().ThrowAsync<ResultStoreException>()
            .WithMessage($"*{hash} is damaged*");
        host.Pictures.Pictures.Write("one"u8.ToArray());
        (await host.Pictures.ReadPictureAsync(hash)).Should().Equal("one"u8.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../../../etc/passwd")]
    [InlineData("7692C3AD3540BB803C020B3AEE66CD8887123234EA0C6E7143C0ADD73FF431ED")]
    [InlineData("..92c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed")]
    [InlineData("/692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed")]
    public async Task Read_WhatIsNoHash_NeverReachesTheDisk(string name)
    {
        await using var host = ResultsHost.Idle(folder.Path);
        await host.Pictures.Awaiting(pictures => pictures.ReadPictureAsync(name)).Should().ThrowAsync<ArgumentException>();
        await host.Pictures.Awaiting(pictures => pictures.ReadMapAsync(name)).Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public void Map_EncodedAndDecoded_IsTheSameToHalfPrecision()
    {
        float[] values = [0, 1, -0.5f, float.NaN, 0.123456f, 1e9f];
        var map = MapFile.Decode(MapFile.Encode(new ResultMap(values, 2, 3)));
        (map.Height, map.Width).Should().Be((2, 3));
        map.Values.ToArray().Should().Equal(0, 1, -0.5f, float.NaN, (float)(Half)0.123456f, 65504);
    }

    [Fact]
    public void Map_FileUnpacked_IsAnNpyOfHalves()
    {
        using var gzip = new System.IO.Compression.GZipStream(new MemoryStream(MapFile.Encode(new ResultMap(new float[] { 1, 2 }, 1, 2))),
            System.IO.Compression.CompressionMode.Decompress);
        var file = new MemoryStream();
        gzip.CopyTo(file);
        var bytes = file.ToArray();
        bytes[..8].Should().Equal(0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0);
        var header = BitConverter.ToUInt16(bytes, 8);
        ((10 + header) % 64).Should().Be(0);
        System.Text.Encoding.ASCII.GetString(bytes, 10, header)
            .Should().StartWith("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 2), }").And.EndWith(" \n");
        bytes[(10 + header)..].Should().Equal(0, 0x3C, 0, 0x40);
    }

    [Fact]
    public void Map_OfAnotherSize_IsRefused()
    {
        FluentActions.Invoking(() => MapFile.Encode(new ResultMap(new float[5], 2, 3))).Should().Throw<ArgumentException>()
            .WithMessage("*5 values for 2 × 3*");
        FluentActions.Invoking(() => MapFile.Encode(new ResultMap(default, 0, 0))).Should().Throw<ArgumentException>();
    }

    public void Dispose() => folder.Dispose();
}
