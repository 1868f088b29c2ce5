namespace Microsoft.ML.KagPrompt.Orleans.Tests.Servers;

/// <summary>How long a test waits for what must come; it comes soon, or something is wrong.</summary>
internal static class Patience
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    /// <summary>Looks again until it is so.</summary>
    public static async Task UntilAsync(Func<bool> isSo)
    {
        for (var until = DateTime.UtcNow + Long; !isSo();)
        {
            (DateTime.UtcNow < until).Should().BeTrue("what is waited for must come");
            await Task.Delay(20);
        }
    }
}
