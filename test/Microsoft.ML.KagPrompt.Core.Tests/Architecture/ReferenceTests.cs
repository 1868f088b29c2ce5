using Mono.Cecil;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

public class ReferenceTests
{
    [Fact]
    public void Core_ReferencesNoFrameworkAboveItAndNoNetwork()
    {
        var module = AssemblyDefinition.ReadAssembly(typeof(KagPromptModel).Assembly.Location).MainModule;
        var references = module.AssemblyReferences.Select(reference => reference.Name).ToArray();
        references.Should().NotContain(name => name.StartsWith("Microsoft.ML.", StringComparison.Ordinal) && name != "Microsoft.ML.Tokenizers", "ML.NET is a layer above");
        references.Should().NotContain(["SkiaSharp", "System.Net.Sockets", "System.Net.Http", "System.Console"], "codecs, the network and the console are not its business");
    }
}
