using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Synthesis;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// SHA-256 over all that decides what training makes of a prompt: a checkpoint is gone on from only where this is the same.
/// </summary>
internal sealed class TrainingFingerprint
{
    // Told apart from checkpoints that another algorithm left.
    private const string Algorithm = "kagprompt.training.3";

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public TrainingFingerprint(KagOptions options, MethodSizes sizes, TrainingPreset? preset, GraphPrompt prompt, FeatureEncoder encoder,
        IReadOnlyDictionary<string, torch.Tensor> textFeatures, int seed, int batchSize, int pairs, float rate)
    {
        Add(Algorithm);
        // Where checkpoints are kept is not written, so it does not count.
        Add(JsonSerializer.Serialize(options.Training));
        Add(FormattableString.Invariant($"{options.Prompt.Variant} {options.Prompt.Iterations} {seed} {batchSize} {pairs} {rate:R}"));
        Add(FormattableString.Invariant($"{encoder.ImageSize} {encoder.Device} {encoder.Tower.Family} {encoder.Tower.ConfigurationJson}"));
        Add(FormattableString.Invariant($"{sizes.Upsampling} {preset?.CentreProjections} {preset?.DiceWeight:R}"));
        Add(encoder.Tower.Weights);
        Add(prompt.Weights);
        Add(textFeatures);
    }

    /// <summary>Over the images and how their twins are drawn, too; the last to be added.</summary>
    public string With(IReadOnlyList<ProductImage> normal, IReadOnlyDictionary<string, SynthesisOptions> synthesis)
    {
        foreach (var image in normal)
        {
            Add(FormattableString.Invariant($"{image.ClassName} {image.Square.Width} {image.Square.Height}"));
            hash.AppendData(image.Square.Rgb);
            hash.AppendData(image.Region is null ? [] : Array.ConvertAll(image.Region.Inside, inside => (byte)(inside ? 1 : 0)));
        }

        foreach (var (name, drawn) in synthesis.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            Add(name);
            Add(JsonSerializer.Serialize(drawn));
        }

        using (hash)
        {
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    private void Add(IEnumerable<KeyValuePair<string, torch.Tensor>> tensors)
    {
        foreach (var (name, tensor) in tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            using var scope = torch.NewDisposeScope();
            Add(name);
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }
    }

    private void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
}
