using Mono.Cecil;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>What the libraries can reach, read off their assemblies: this project refers to all of them.</summary>
public sealed class SupplyTests
{
    [Fact]
    public void Libraries_ReferToNoSocketAndStartNoProcess()
    {
        var libraries = Directory.GetFiles(AppContext.BaseDirectory, "Microsoft.ML.KagPrompt*.dll")
            .Where(path => !Path.GetFileNameWithoutExtension(path).EndsWith("Tests", StringComparison.Ordinal) && !path.EndsWith("OnnxProcess.dll", StringComparison.Ordinal)).ToArray();
        libraries.Select(Path.GetFileNameWithoutExtension).Should().BeEquivalentTo(
            ["Microsoft.ML.KagPrompt", "Microsoft.ML.KagPrompt.Core", "Microsoft.ML.KagPrompt.Columns", "Microsoft.ML.KagPrompt.Hosting", "Microsoft.ML.KagPrompt.Imaging", "Microsoft.ML.KagPrompt.Onnx", "Microsoft.ML.KagPrompt.Primitives", "Microsoft.ML.KagPrompt.Reporting"]);
        foreach (var path in libraries)
        {
            using var assembly = AssemblyDefinition.ReadAssembly(path);
            assembly.MainModule.AssemblyReferences.Select(reference => reference.Name)
                .Should().NotContain(name => name.StartsWith("System.Net.", StringComparison.Ordinal), path);
            assembly.MainModule.GetTypeReferences().Select(type => type.FullName)
                .Where(name => name.StartsWith("System.Net.", StringComparison.Ordinal) || name.StartsWith("System.Diagnostics.Process", StringComparison.Ordinal))
                .Should().BeSubsetOf(["System.Net.WebUtility", "System.Diagnostics.Process"], $"the one escapes HTML and no more ({path})");
            assembly.MainModule.GetMemberReferences().Where(member => member.DeclaringType.FullName == "System.Diagnostics.Process").Select(member => member.Name)
                .Should().BeSubsetOf(["GetProcessById", "get_HasExited"], $"whoever left a file is looked for, and nothing is started ({path})");
        }
    }
}
