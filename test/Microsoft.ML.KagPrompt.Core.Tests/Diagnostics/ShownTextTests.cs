using System.Text;

namespace Microsoft.ML.KagPrompt.Tests.Diagnostics;

/// <summary>Every message of ours, whatever was quoted in it.</summary>
public sealed class ShownTextTests
{
    [Theory]
    [InlineData("x")]
    [InlineData("é")]
    [InlineData("漢")]
    [InlineData("😀")]
    public void Message_LongQuotation_KeepsItsBeginningAndItsEnd(string letter)
    {
        var quoted = string.Concat(Enumerable.Repeat(letter, 100_000));
        var message = new ModelFormatException($"It is damaged: '{quoted}'. Save it again.").Message;
        message.Should().StartWith("It is damaged: '" + letter).And.Contain("…").And.EndWith("'. Save it again.");
        Encoding.UTF8.GetByteCount(message).Should().BeInRange(1800, 2000);
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(message)).Should().Be(message, "no character is cut in two");
    }

    [Fact]
    public void Message_OrdinaryLength_IsAsWritten()
    {
        var text = new string('y', 2000);
        new ImageReadException(text).Message.Should().Be(text);
        new KagPromptException(text + "y", null).Message.Should().NotBe(text + "y");
    }
}
