using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>What alignment needs of a backbone. Owns its towers.</summary>
internal interface IAlignmentPupil : IDisposable
{
    IVisionTower Vision { get; }

    /// <summary>The same tower, as alignment sees it.</summary>
    IPooledEmbedding Embedding { get; }

    TextTransformer Text { get; }

    BytePairTokenizer Tokenizer { get; }

    /// <summary>Whether the text tower learns too.</summary>
    bool TrainsText { get; }

    /// <summary>What learns.</summary>
    IReadOnlyList<Tensor> Trained { get; }

    /// <summary>Writes the backbone to a folder.</summary>
    void Write(string output);
}
