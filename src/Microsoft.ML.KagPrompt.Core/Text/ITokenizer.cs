namespace Microsoft.ML.KagPrompt.Text;

/// <summary>Turns a text into the fixed-length row of token ids a text tower reads.</summary>
/// <remarks>Thread-safe.</remarks>
public interface ITokenizer
{
    /// <summary>Length of a row.</summary>
    int ContextLength { get; }

    /// <summary>Number of token ids, special tokens included; the end-of-text token is the largest.</summary>
    int VocabularySize { get; }

    /// <summary>Start-of-text, the text's tokens, end-of-text, zeros. A longer text is cut, end-of-text kept.</summary>
    long[] Encode(string text);
}
