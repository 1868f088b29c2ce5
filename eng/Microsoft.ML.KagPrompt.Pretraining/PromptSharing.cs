using Microsoft.ML.KagPrompt.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Leaves out of a prompt's file what another's holds, name for name and bit for bit: the library ships that once.</summary>
internal static class PromptSharing
{
    public static void Run(string prompt, string other, string output, Action<string> report)
    {
        using var scope = torch.NewDisposeScope();
        using var source = SafetensorsFile.Open(prompt);
        using var shared = SafetensorsFile.Open(other);
        var own = source.Entries.Keys.ToDictionary(name => name, source.Read);
        foreach (var name in own.Keys.Where(shared.Entries.ContainsKey).Where(name => IsSame(own[name], shared.Read(name))).ToArray())
        {
            own.Remove(name);
        }

        using (var file = File.Create(output))
        {
            SafetensorsWriter.Write(file, own, source.Metadata);
        }

        report($"{source.Entries.Count - own.Count} of {source.Entries.Count} tensors are the other prompt's; {own.Values.Sum(tensor => tensor.numel())} values written");
    }

    private static bool IsSame(torch.Tensor a, torch.Tensor b) => a.shape.SequenceEqual(b.shape) && a.dtype == b.dtype && a.eq(b).all().ToBoolean();
}
