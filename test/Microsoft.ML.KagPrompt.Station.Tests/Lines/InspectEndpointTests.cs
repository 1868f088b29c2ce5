using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Station.Lines;

namespace Microsoft.ML.KagPrompt.Station.Tests.Lines;

public sealed class InspectEndpointTests
{
    [Theory]
    [InlineData(RefusalReason.QueueFull, 429)]
    [InlineData(RefusalReason.ProductUnknown, 404)]
    [InlineData(RefusalReason.ModelUnavailable, 503)]
    [InlineData(RefusalReason.Stopping, 503)]
    public void StatusOf_EveryRefusal_IsWhatThePageSays(RefusalReason reason, int code) => InspectEndpoint.StatusOf(reason).Should().Be(code);
}
