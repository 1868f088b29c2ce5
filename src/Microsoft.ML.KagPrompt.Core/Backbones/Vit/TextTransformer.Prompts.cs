using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <content>Embeddings in the place of words.</content>
internal sealed partial class TextTransformer : IPromptableTextTower
{
    public int Width => config.Width;

    public float StoredLogitScale => weights["log_scale"].Value();

    public Tensor EmbeddingsOf(Tensor tokens)
    {
        using var noGradients = no_grad();
        return Looked(tokens);
    }

    public Tensor EncodeEmbeddings(Tensor embeddings, Tensor tokens)
    {
        Guard.Shape(embeddings, nameof(embeddings), tokens.shape[0], config.ContextLength, config.Width);
        return Joint(embeddings, tokens);
    }
}
