using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Mono.Cecil;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

public class ScalarLifetimeTests
{
    [Fact]
    public void Core_OutsideTensorArithmetic_CallsNothingThatMakesScalars()
    {
        using var torchSharp = ModuleDefinition.ReadModule(typeof(torch).Assembly.Location);
        using var core = ModuleDefinition.ReadModule(typeof(KagPromptModel).Assembly.Location);
        var makers = torchSharp.GetTypes().SelectMany(type => type.Methods).Where(method => Called(method).Any(MakesScalar))
            .Select(method => method.FullName).ToHashSet();
        makers.Should().Contain(name => name.Contains("Tensor::square()"), "the search must see what it is for");

        core.GetTypes().Where(type => type.FullName != typeof(TensorArithmetic).FullName).SelectMany(type => type.Methods)
            .SelectMany(method => Called(method).Where(called => MakesScalar(called) || makers.Contains(called.FullName)).Select(called => $"{method.FullName} calls {called.FullName}"))
            .ToArray().Should().BeEmpty("a collection can free such a scalar during the native call; TensorArithmetic has what is needed");
    }

    private static IEnumerable<MethodReference> Called(MethodDefinition method)
        => method.HasBody ? method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>() : [];

    private static bool MakesScalar(MethodReference method) => method.ReturnType.FullName == "TorchSharp.Scalar";
}
