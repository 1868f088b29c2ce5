using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// The supports' patches by their places, and how far the supports lie alike. Its owner disposes <see cref="Tensors"/> and
/// <see cref="Matches"/>.
/// </summary>
internal sealed class NearReference
{
    // How much farther a support's patches lie from what the others show in the same place than from what they show anywhere: of parts that
    // lie alike 1.02 (drive screws, toys) to 1.3 (tiles, cookies), of boards of several kinds 2.
    private const double Alike = 1.4;
    private const double Unlike = 1.8;

    private const string PatchesName = "placed.";
    private const string CellsName = "near.";
    private const string AlikenessName = "alikeness";

    private NearReference(NearMatches matches, double alikeness)
    {
        using var scope = torch.NewDisposeScope();
        (Matches, Alikeness) = (matches, alikeness);
        var tensors = new Dictionary<string, torch.Tensor> { [AlikenessName] = torch.tensor([(float)alikeness], [1, 1]) };
        foreach (var (i, (patches, cells)) in matches.Layers.Index())
        {
            // As numbers of 32 bits, which the archive's matrices are.
            tensors.Add($"{CellsName}{i}", torch.tensor(Array.ConvertAll(cells, cell => (float)cell), [cells.Length, 1]));
            tensors.Add($"{PatchesName}{i}", patches);
        }

        Tensors = tensors.ToDictionary(entry => entry.Key, entry => entry.Value.DetachFromDisposeScope());
    }

    public NearMatches Matches { get; }

    /// <summary>1: the supports lie alike; 0: they lie this way and that.</summary>
    public double Alikeness { get; }

    /// <summary>What a saved model needs beside the bank.</summary>
    public IReadOnlyDictionary<string, torch.Tensor> Tensors { get; }

    /// <param name="supports">
    /// What was kept of each: layers of patches [1, n, D], and the cells that they come from; it stays the caller's.
    /// </param>
    /// <param name="grids">Of each layer.</param>
    /// <param name="alikeness">How far they lie alike.</param>
    public static NearReference Build(
        IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, IReadOnlyList<PatchGrid> grids, double alikeness)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        long[][][] cells = [.. supports.Select(support => grids.Select((_, layer) => Placed(support[grids.Count + layer])).ToArray())];
        var patches = grids.Select((_, layer) => torch.cat([.. supports.Select((support, i)
            => support[layer][0].narrow(0, 0, cells[i][layer].Length))], 0).UnitLength(1)).ToArray();
        long[][] joined = [.. grids.Select((_, layer) => cells.SelectMany(own => own[layer]).ToArray())];
        return new NearReference(NearMatches.Build(patches, joined, grids), alikeness);
    }

    /// <summary>The cells of the picture as it is, whose patches come first.</summary>
    /// <param name="cells">Of a support's patches; −1: of views.</param>
    public static long[] Placed(torch.Tensor cells) => [.. cells.data<long>().ToArray().Where(cell => cell >= 0)];

    /// <summary>From a saved model; null where it has none.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, of another shape, or names no cells.</exception>
    public static NearReference? Read(
        ITensorSource source, MemoryBank bank, IReadOnlyList<int> widths, IReadOnlyList<PatchGrid> grids, torch.Device device)
    {
        if (!source.Entries.ContainsKey(AlikenessName))
        {
            return null;
        }

        using var scope = torch.NewDisposeScope();
        var alikeness = StoredMatrix.Read(source, AlikenessName, 1, 1).item<float>();
        // Where nothing was thinned out, a file may say of the bank's own patches which cells they come from.
        torch.Tensor[] patches = [.. widths.Select((width, layer) => source.Entries.ContainsKey($"{PatchesName}{layer}")
            ? StoredMatrix.Read(source, $"{PatchesName}{layer}", -1, width).to(device) : bank.Layers[layer])];
        var cells = patches.Select((layer, i) => StoredMatrix.Read(source, $"{CellsName}{i}", layer.shape[0], 1)).ToArray();
        try
        {
            return new NearReference(NearMatches.Build(patches, [.. cells.Select(Numbers)], grids), Math.Clamp(alikeness, 0, 1));
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
