using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

/// <summary>What the core says is about the core: the layers above it add their own words to its errors.</summary>
public partial class MessageTests
{
    [Theory]
    [InlineData(typeof(KagPromptModel))]
    [InlineData(typeof(PixelBuffer))]
    public void Texts_NameNoToolAndNoFramework(Type inAssembly)
    {
        var module = AssemblyDefinition.ReadAssembly(inAssembly.Assembly.Location).MainModule;
        var texts = module.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody)
            .SelectMany(method => method.Body.Instructions.Where(instruction => instruction.OpCode == OpCodes.Ldstr)
                .Select(instruction => (method.DeclaringType.FullName, Text: (string)instruction.Operand))).ToArray();
        texts.Should().HaveCountGreaterThan(50, "its texts are found");
        texts.Where(text => OtherLayers().IsMatch(text.Text)).Should().BeEmpty("who reads them may have another tool, or none");
    }

    [GeneratedRegex("kagprompt |(^|[ (,'])--[a-z]|mlContext|dotnet ")]
    private static partial Regex OtherLayers();
}
