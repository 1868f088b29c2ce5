using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>A small, fixed share of what ./build.sh soak reads: exported models.</summary>
public sealed class MutatedOnnxTests
{
    [Fact]
    public void Load_Mutated_LetsOnlyOurErrorsEscape()
        => OnnxReaders.All().SelectMany(reader => Enumerable.Range(0, 1000 / reader.Every).Select(number => reader.Try(13, number)))
            .Where(fault => fault is not null).Should().BeEmpty();
}
