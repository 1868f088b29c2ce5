using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Makes a class's memory bank, and its patches by their places, of what was kept of its supports.</summary>
/// <remarks>
/// What was kept of a support: the patches of each layer, [1, n, D], and then the cell that each comes from, [n]; −1 for those of views,
/// which have no place. Without the second half none is looked up by its place.
/// </remarks>
/// <param name="options">The method's choices.</param>
/// <param name="grids">Where the patches lie in the image, layer by layer.</param>
internal sealed class KagReferenceBuilder(KagOptions options, IReadOnlyList<PatchGrid> grids)
{
    // Each costs a look at all others.
    private const int MostHeldAgainstOthers = 4;

    /// <summary>The class of all supports. It takes the text features.</summary>
    public KagReference Build(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures, ClassRegion? region)
    {
        var coresets = Coresets(supports);
        return Build(supports, coresets, textFeatures, region, () => Alikeness(supports, coresets));
    }

    /// <summary>
    /// The class without one support: of each of the others the bank has the patches that the whole one has of it.
    /// </summary>
    public KagReference LeaveOut(KagReference whole, IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, int left)
        => Build(Without(supports, left), Without(whole.Coresets ?? Coresets(supports), left), whole.TextFeatures?.clone(), whole.Region,
            () => whole.Near?.Alikeness ?? 0);

    private KagReference Build(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports,
        IReadOnlyList<(long[] Rows, int[] StandFor)?[]> coresets, torch.Tensor? textFeatures, ClassRegion? region, Func<double> alikeness)
    {
        using var scope = torch.NewDisposeScope();
        var bank = MemoryBank.Build([.. supports.Zip(coresets, (support, coreset)
            => grids.Select((_, layer) => Taken(support[layer], coreset[layer]?.Rows)).ToArray())], StandFor(supports, coresets));
        try
        {
            var alike = options.Fusion.NearWeight > 0 && supports.All(support => support.Count > grids.Count) ? alikeness() : 0;
            var near = alike > 0 ? NearReference.Build(supports, grids, alike) : null;
            return new KagReference(textFeatures, bank, near) { Region = region, Coresets = coresets };
        }
        catch
        {
            bank.Dispose();
            throw;
        }
    }

    /// <summary>Of each support, layer by layer, the patches that the bank gets; null: all.</summary>
    private (long[] Rows, int[] StandFor)?[][] Coresets(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var coresets = supports.Select(_ => new (long[], int[])?[grids.Count]).ToArray();
        var thinned = new List<(int Support, int Layer, int Count, float[] Rows)>();
        foreach (var (support, layer) in supports.Index().SelectMany(_ => grids.Index(), (support, grid) => (support, grid.Index)))
        {
            var (patches, cells) = (support.Item[layer][0], grids[layer].Rows * grids[layer].Columns);
            var count = options.Coreset.Count((int)patches.shape[0], cells, supports.Count);
            if (count < patches.shape[0])
            {
                var rows = patches.UnitLength(1).to(torch.float32).cpu().contiguous();
                thinned.Add((support.Index, layer, count, rows.data<float>().ToArray()));
            }
        }

        // The largest first: with the last of them no thread is left alone.
        var order = thinned.OrderByDescending(part => part.Rows.Length).ToArray();
        ThreadTeam.Share(order.Length, next =>
        {
            for (int i; (i = next()) >= 0;)
            {
                var part = order[i];
                coresets[part.Support][part.Layer] = FarthestFirst.Take(
                    part.Rows, (int)supports[part.Support][part.Layer].shape[2], part.Count);
            }
        });
        return coresets;
    }

    /// <summary>How far supports lie alike; 0 where there is only one, which cannot tell.</summary>
    private double Alikeness(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, IReadOnlyList<(long[] Rows, int[] StandFor)?[]> coresets)
    {
        var (anywhere, near) = (0.0, 0.0);
        for (var left = 0; left < Math.Min(supports.Count, MostHeldAgainstOthers) && supports.Count > 1; left++)
        {
            using var scope = torch.NewDisposeScope();
            using var noGradients = torch.no_grad();
            using var others = Build(Without(supports, left), Without(coresets, left), null, null, () => 1);
            var own = supports[left];
            long[][] cells = [.. grids.Select((_, layer) => NearReference.Placed(own[grids.Count + layer]))];
            // The picture as it is comes first.
            torch.Tensor[] tokens = [.. grids.Select((grid, layer) =>
                torch.zeros(1, grid.Rows * grid.Columns, own[layer].shape[2], dtype: own[layer].dtype, device: own[layer].device)
                    .index_copy(1, torch.tensor(cells[layer], device: own[layer].device), own[layer].narrow(1, 0, cells[layer].Length)))];
            anywhere += others.Bank!.Compare(tokens, cells).Distances.Sum(layer => layer.mean().item<float>());
            near += others.Near!.Matches.Distances(tokens, cells).Sum(layer => layer.mean().item<float>());
        }

        return supports.Count > 1 ? NearReference.AlikenessOf(anywhere, near) : 0;
    }

    /// <summary>Of each layer's patches, for how many of their support each stands; null where nothing was left out.</summary>
    private int[][]? StandFor(
        IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, IReadOnlyList<(long[] Rows, int[] StandFor)?[]> coresets)
        => coresets.All(support => support.All(coreset => coreset is null)) ? null : [.. grids.Select((_, layer) => supports.Zip(coresets)
            .SelectMany(pair => pair.Second[layer]?.StandFor ?? Enumerable.Repeat(1, (int)pair.First[layer].shape[1])).ToArray())];

    private static torch.Tensor Taken(torch.Tensor patches, long[]? coreset)
        => coreset is null ? patches : patches.index_select(1, torch.tensor(coreset, device: patches.device));

    private static T[] Without<T>(IReadOnlyList<T> supports, int left) => [.. supports.Where((_, i) => i != left)];
}
