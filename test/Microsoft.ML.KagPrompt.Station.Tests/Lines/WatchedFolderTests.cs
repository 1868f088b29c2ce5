using Microsoft.ML.KagPrompt.Station.Lines;

namespace Microsoft.ML.KagPrompt.Station.Tests.Lines;

public sealed class WatchedFolderTests
{
    [Theory]
    [InlineData("..")]
    [InlineData("../other")]
    [InlineData("a/../../b")]
    [InlineData("/etc")]
    [InlineData("a//b")]
    [InlineData("a\\b")]
    [InlineData(".hidden")]
    [InlineData("a.")]
    [InlineData("")]
    [InlineData("C:")]
    [InlineData("line/done")]
    public void Resolve_WhatIsNoFolderBelow_IsRefused(string folder)
        => FluentActions.Invoking(() => WatchedFolder.Resolve("/root-of-it", folder)).Should().Throw<ArgumentException>();

    [Fact]
    public void Resolve_ALinkThatLeadsElsewhere_IsRefused()
    {
        var root = Directory.CreateTempSubdirectory("kagprompt-root-");
        try
        {
            WatchedFolder.Resolve(root.FullName, "hall 1/press-2").Should().Be(Path.Combine(root.FullName, "hall 1", "press-2"));
            Directory.CreateSymbolicLink(Path.Combine(root.FullName, "away"), Path.GetTempPath());
            FluentActions.Invoking(() => WatchedFolder.Resolve(root.FullName, "away/x")).Should().Throw<ArgumentException>()
                .WithMessage("*is a link*");
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    [Fact]
    public void PartId_SaysVersion7_AndDiffersWithNameTimeAndContent()
    {
        var time = new DateTime(2026, 11, 26, 8, 0, 0, DateTimeKind.Utc);
        var id = PartId.Compute("line", "a.png", time, [1, 2, 3]);
        id.Version.Should().Be(7);
        PartId.Compute("line", "a.png", time, [1, 2, 3]).Should().Be(id);
        new[]
        {
            PartId.Compute("other", "a.png", time, [1, 2, 3]), PartId.Compute("line", "b.png", time, [1, 2, 3]),
            PartId.Compute("line", "a.png", time.AddTicks(1), [1, 2, 3]), PartId.Compute("line", "a.png", time, [1, 2, 4]),
        }.Should().OnlyHaveUniqueItems().And.NotContain(id);
    }
}
