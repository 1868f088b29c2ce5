using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.KagPrompt.Backbones;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>SHA-256 over a vision tower's configuration and weights: tells whether two towers are the same.</summary>
internal static class TowerFingerprint
{
    public static string Compute(IVisionTower tower)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(tower.Family + "\n" + tower.ConfigurationJson));
        foreach (var (name, weight) in tower.Weights.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            using var scope = torch.NewDisposeScope();
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(weight.detach().cpu().contiguous().bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
