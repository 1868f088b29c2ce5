using Microsoft.ML.KagPrompt.Results.AspNetCore;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.AspNetCore;

public sealed class ApiKeysTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string KeyFile => folder.In("keys", "api-keys.json");

    [Fact]
    public async Task Create_AKey_IsInNoFileAndHasAHashThere()
    {
        var keys = new ApiKeys(KeyFile);
        var key = await keys.CreateAsync("line 1", ApiKeyRole.Write);
        key.Should().MatchRegex("^kag_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$");
        var text = await File.ReadAllTextAsync(KeyFile);
        text.Should().NotContain(key[21..]).And.Contain(Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(System.Buffers.Text.Base64Url.DecodeFromChars(key.AsSpan(21)))));
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(KeyFile).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        keys.Find(key)!.Should().Be(keys.List().Single());
        keys.List().Single().Should().BeEquivalentTo(new { Name = "line 1", Role = ApiKeyRole.Write, Revoked = (DateTimeOffset?)null });
        (await keys.CreateAsync("line 1", ApiKeyRole.Write)).Should().NotBe(key);
    }

    [Fact]
    public async Task Create_FromSeveralAtOnce_KeepsEveryKey()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => new ApiKeys(KeyFile).CreateAsync($"{i}", ApiKeyRole.Read))));
        var keys = new ApiKeys(KeyFile);
        made.Select(key => keys.Find(key)!.Name).Should().BeEquivalentTo(Enumerable.Range(0, 8).Select(i => $"{i}"));
    }

    [Fact]
    public async Task Revoke_OneOfTwo_LeavesTheOtherAndTellsWhen()
    {
        var time = ResultsHost.Clock();
        var keys = new ApiKeys(KeyFile, time);
        var (one, other) = (await keys.CreateAsync("one", ApiKeyRole.Read), await keys.CreateAsync("other", ApiKeyRole.Read));
        var id = keys.List()[0].Id;
        (await keys.RevokeAsync(id)).Should().BeTrue();
        (await keys.RevokeAsync(id)).Should().BeFalse();
        (await keys.RevokeAsync("none")).Should().BeFalse();
        keys.Find(one).Should().BeNull();
        keys.Find(other)!.Name.Should().Be("other");
        keys.List()[0].Revoked.Should().Be(time.GetUtcNow());
    }

    [Fact]
    public async Task Create_WithoutANameOrRole_IsRefused()
    {
        var keys = new ApiKeys(KeyFile);
        await keys.Awaiting(each => each.CreateAsync("", ApiKeyRole.Read)).Should().ThrowAsync<ArgumentException>();
        await keys.Awaiting(each => each.CreateAsync("a", (ApiKeyRole)7)).Should().ThrowAsync<ArgumentException>();
        keys.List().Should().BeEmpty();
    }

    public void Dispose() => folder.Dispose();
}
