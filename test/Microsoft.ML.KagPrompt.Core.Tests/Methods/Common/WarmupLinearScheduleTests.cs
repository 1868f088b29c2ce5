using Microsoft.ML.KagPrompt.Methods.Common;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

public class WarmupLinearScheduleTests
{
    [Fact]
    public void At_TwentySteps_RisesOverTwoAndFallsToNearZero()
    {
        var schedule = new WarmupLinearSchedule(1, 20);
        var rates = Enumerable.Range(0, 20).Select(schedule.At).ToArray();
        rates[0].Should().Be(0.5);
        rates[1].Should().Be(1);
        rates[2].Should().Be(1);
        rates[19].Should().BeApproximately(1 / 18.0, 1e-12);
        rates[3..].Should().BeInDescendingOrder();
    }
}
