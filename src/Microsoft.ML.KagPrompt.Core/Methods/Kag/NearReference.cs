using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// A bank's patches by their places, and how far the supports lie alike. Its owner disposes <see cref="Tensors"/> and
/// <see cref="Matches"/>.
/// </summary>
internal sealed class NearReference
{
    // How much farther a support's patches lie from what the others show in the same place than from what they show anywhere: of parts that
    // lie alike 1.02 (drive screws, toys) to 1.3 (tiles, cookies), of boards of several kinds 2.
    private const double Alike = 1.4;
    private const double Unlike = 1.8;

    private const string CellsName = "near.";
    private const string AlikenessName = "alikeness";

    private NearReference(NearMatches matches, IReadOnlyList<torch.Tensor> cells, double alikeness)
    {
        (Matches, Alikeness) = (matches, alikeness);
        var tensors = cells.Index().ToDictionary(entry => $"{CellsName}{entry.Index}", entry => entry.Item);
        tensors.Add(AlikenessName, torch.tensor([(float)alikeness], [1, 1]).DetachFromDisposeScope());
        Tensors = tensors;
    }

    public NearMatches Matches { get; }

    /// <summary>1: the supports lie alike; 0: they lie this way and that.</summary>
    public double Alikeness { get; }

    /// <summary>What a saved model needs beside the bank.</summary>
    public IReadOnlyDictionary<string, torch.Tensor> Tensors { get; }

    /// <summary>Of the cells that each support's patches come from, [n] a layer; they stay the caller's.</summary>
    public static NearReference Build(
        MemoryBank bank, IReadOnlyList<IReadOnlyList<torch.Tensor>> cells, IReadOnlyList<PatchGrid> grids, double alikeness)
    {
        using var scope = torch.NewDisposeScope();
        // As numbers of 32 bits, which the archive's matrices are.
        var joined = grids.Select((_, layer) => torch.cat([.. cells.Select(support => support[layer])], 0).to(torch.float32).unsqueeze(1))
            .ToArray();
        var matches = NearMatches.Build(bank, [.. joined.Select(Numbers)], grids);
        return new NearReference(matches, [.. joined.Select(layer => layer.DetachFromDisposeScope())], alikeness);
    }

    /// <summary>From a saved model; null where it has none.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, of another shape, or names no cells.</exception>
    public static NearReference? Read(ITensorSource source, MemoryBank bank, IReadOnlyList<PatchGrid> grids)
    {
        if (!source.Entries.ContainsKey(AlikenessName))
        {
            return null;
        }

        using var scope = torch.NewDisposeScope();
        var alikeness = StoredMatrix.Read(source, AlikenessName, 1, 1).item<float>();
        var cells = grids.Select((_, layer) => StoredMatrix.Read(source, $"{CellsName}{layer}", bank.Layers[layer].shape[0], 1)).ToArray();
        try
        {
            var matches = NearMatches.Build(bank, [.. cells.Select(Numbers)], grids);
            return new NearReference(matches, [.. cells.Select(layer => layer.DetachFromDisposeScope())], Math.Clamp(alikeness, 0, 1));
        }
        catch (ArgumentException fault)
        {
            throw new ModelFormatException(
                $"{source.Origin}: the places of the memory bank's patches: {fault.Message} Save or fetch the model again.", fault);
        }
    }

    /// <summary>How far supports lie alike, of how far each lies from the others, in the mean.</summary>
    /// <param name="anywhere">From what they show anywhere.</param>
    /// <param name="near">From what they show in the same place.</param>
    public static double AlikenessOf(double anywhere, double near)
        => anywhere <= 0 ? 1 : Math.Clamp((Unlike - (near / anywhere)) / (Unlike - Alike), 0, 1);

    private static long[] Numbers(torch.Tensor cells) => Array.ConvertAll(cells.flatten().data<float>().ToArray(), cell => (long)cell);
}
