using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>A class known by words, normal and abnormal, and by features of its supports. Owns both.</summary>
/// <param name="textFeatures">[2, C'], normal first.</param>
/// <param name="bank">Features of the supports; null where words alone score.</param>
internal sealed class WordsAndBank(torch.Tensor textFeatures, MemoryBank? bank) : ClassReference
{
    private const string Text = "text";

    public override torch.Tensor TextFeatures { get; } = textFeatures;

    public MemoryBank? Bank { get; } = bank;

    public override IReadOnlyDictionary<string, torch.Tensor> Tensors
        => (Bank?.Layers ?? []).Select((layer, i) => KeyValuePair.Create(BankName(i), layer))
            .Append(KeyValuePair.Create(Text, TextFeatures))
            .ToDictionary();

    /// <summary>From a saved model. The caller owns it.</summary>
    /// <param name="source">The class's tensors.</param>
    /// <param name="jointWidth">C'.</param>
    /// <param name="bankWidths">Of each layer of the bank; null: words alone score.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="region">What is inspected.</param>
    /// <exception cref="ModelFormatException">A tensor is missing or of another shape.</exception>
    public static WordsAndBank Read(
        ITensorSource source, int jointWidth, IReadOnlyList<int>? bankWidths, torch.Device device, ClassRegion? region)
    {
        using var scope = torch.NewDisposeScope();
        var text = StoredMatrix.Read(source, Text, 2, jointWidth).to(device);
        var bank = bankWidths is null ? null
            : MemoryBank.FromNormalized(
                [.. bankWidths.Select((width, layer) => StoredMatrix.Read(source, BankName(layer), -1, width).to(device))]);
        return new WordsAndBank(text.DetachFromDisposeScope(), bank) { Region = region };
    }

    private static string BankName(int layer) => FormattableString.Invariant($"bank.{layer}");
}
