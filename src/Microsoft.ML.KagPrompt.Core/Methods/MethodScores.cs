using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>What a method says of a batch of one class. Owns its tensors.</summary>
/// <param name="Maps">[B, S, S].</param>
/// <param name="Scores">[B].</param>
/// <param name="Unlikeness">What each image lacks of the class's supports, [B]; null where the method cannot tell.</param>
internal sealed record MethodScores(torch.Tensor Maps, torch.Tensor Scores, torch.Tensor? Unlikeness) : IDisposable
{
    public IEnumerable<torch.Tensor> Tensors => Unlikeness is null ? [Maps, Scores] : [Maps, Scores, Unlikeness];

    public void Dispose()
    {
        foreach (var tensor in Tensors)
        {
            tensor.Dispose();
        }
    }
}
