using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A text tower and its tokenizer. Owns the tower.</summary>
internal sealed record TextSide(ITextTower Tower, BytePairTokenizer Tokenizer) : IDisposable
{
    public void Dispose() => Tower.Dispose();
}
