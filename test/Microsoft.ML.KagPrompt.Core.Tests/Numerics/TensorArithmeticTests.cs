using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

public class TensorArithmeticTests
{
    [Fact]
    public async Task Operations_UnderConstantCollection_StayRight()
    {
        // Collections on another thread free whatever the calling thread no longer holds: a scalar that died before its native call gives garbage.
        using var stop = new CancellationTokenSource();
        var collector = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        try
        {
            using var scope = torch.NewDisposeScope();
            var (two, three) = (torch.full([4], 2f), torch.full([4], 3f));
            for (var i = 0; i < 3000; i++)
            {
                using var inner = torch.NewDisposeScope();
                two.Plus(three).Times(2).Minus(three).Complement().Plus(0.5).Value().Should().Be(-5.5f);
                three.AtLeast(4).AtMost(3.5).Value().Should().Be(3.5f);
            }
        }
        finally
        {
            stop.Cancel();
            await collector;
        }
    }

    [Fact]
    public void UnitLength_RowsAndZeros_HaveLengthOneOrZero()
    {
        using var scope = torch.NewDisposeScope();
        torch.tensor(new float[] { 3, 4, 0, 0 }, [2, 2]).UnitLength(1).data<float>().ToArray().Should().Equal(0.6f, 0.8f, 0f, 0f);
    }
}
