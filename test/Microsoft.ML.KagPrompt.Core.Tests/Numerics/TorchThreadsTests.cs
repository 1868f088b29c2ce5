using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

public sealed class TorchThreadsTests
{
    [Fact]
    public void Alone_UntilItsEnd_LibtorchHasOneThreadHereAndAsBeforeElsewhere()
    {
        (int Here, int Count, int After, int Elsewhere) seen = default;
        var thread = new Thread(() =>
        {
            set_num_threads(2);
            using (TorchThreads.Alone())
            using (TorchThreads.Alone())
            {
                (seen.Here, seen.Count) = (get_num_threads(), TorchThreads.Count);
                var other = new Thread(() => seen.Elsewhere = get_num_threads());
                other.Start();
                other.Join();
            }

            seen.After = get_num_threads();
        });
        var before = get_num_threads();
        try
        {
            thread.Start();
            thread.Join();
        }
        finally
        {
            set_num_threads(before);
        }

        seen.Should().Be((1, 2, 2, 2));
        TorchThreads.Count.Should().Be(before);
    }
}
