using Mono.Cecil;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

public class ReferenceTests
{
    [Fact]
    public void Core_ReferencesNoFrameworkAboveItAndNoNetwork()
    {
        var module = AssemblyDefinition.ReadAssembly(typeof(KagPromptModel).Assembly.Location).MainModule;
        var references = module.AssemblyReferences.Select(reference => reference.Name).ToArray();
        references.Should().NotContain(name => name.StartsWith("Microsoft.ML.", StringComparison.Ordinal)
            && name != "Microsoft.ML.Tokenizers" && name != "Microsoft.ML.KagPrompt.Primitives", "ML.NET is a layer above");
        references.Should().NotContain(["SkiaSharp", "System.Net.Sockets", "System.Net.Http", "System.Console"], "codecs, the network and the console are not its business");
    }

    [Fact]
    public void Primitives_ReferenceNoTorchAndNothingAboveThem()
        => AssemblyDefinition.ReadAssembly(typeof(PixelBuffer).Assembly.Location).MainModule.AssemblyReferences
            .Select(reference => reference.Name)
            .Should().NotContain(name => name == "TorchSharp" || name == "SkiaSharp" || name.StartsWith("Microsoft.ML", StringComparison.Ordinal),
                "programs that only score exported models load nothing else");
}
