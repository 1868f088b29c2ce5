using Microsoft.ML.KagPrompt.Results.AspNetCore;

namespace Microsoft.ML.KagPrompt.Results.Tests;

/// <summary>What the packages bring along, read off their assemblies.</summary>
public sealed class SupplyTests
{
    [Theory]
    [InlineData(typeof(ResultRecorder))]
    [InlineData(typeof(ApiKeys))]
    public void Assembly_RefersToNoNetworkNoSocketAndNoOtherPackageOfOurs(Type inIt)
    {
        var names = inIt.Assembly.GetReferencedAssemblies().Select(name => name.Name!).ToArray();
        names.Should().Contain("Microsoft.ML.KagPrompt.Primitives")
            .And.NotContain(name => (name.StartsWith("System.Net.", StringComparison.Ordinal) && name != "System.Net.Primitives")
                || name.Contains("Torch", StringComparison.OrdinalIgnoreCase)
                || name.Contains("Onnx", StringComparison.Ordinal) || name == "Microsoft.ML" || name == "System.Diagnostics.Process");
        names.Where(name => name.StartsWith("Microsoft.ML.", StringComparison.Ordinal)).Should()
            .BeSubsetOf(["Microsoft.ML.KagPrompt.Primitives", "Microsoft.ML.KagPrompt.Results"]);
    }
}
