using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Cells;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Rad;

/// <summary>A cell's value is its cosine distance to the nearest normal one that lay at most a few rows and columns away.</summary>
internal sealed class LocalScorer(RadOptions options, MethodSizes sizes) : PatchScorer(options, sizes)
{
    public override ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        var features = StoredMatrix.Read(source, "bank.0", -1, Joined.Width).to(device);
        var places = StoredMatrix.Read(source, "places", features.shape[0], 2).to(device);
        return new PlacedBank(features, places) { Region = region };
    }

    /// <summary>Beside its feature, row and column of each cell.</summary>
    protected override IReadOnlyList<torch.Tensor> Kinds(torch.Tensor cells)
        => [cells, Places([.. Enumerable.Range(0, (int)cells.shape[1]).Select(cell => (long)cell)], cells.device)
            .expand(cells.shape[0], -1, -1)];

    protected override ClassReference Build(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, ClassRegion? region)
    {
        using var scope = torch.NewDisposeScope();
        var features = torch.cat([.. supports.Select(kept => kept[0].flatten(0, 1))], 0);
        return new PlacedBank(features, torch.cat([.. supports.Select(kept => kept[1].flatten(0, 1))], 0)) { Region = region };
    }

    protected override (torch.Tensor Values, torch.Tensor? Unlikeness) Measure(torch.Tensor cells, long[] places, ClassReference reference)
        => ((PlacedBank)reference).Compare(cells, Places(places, cells.device), options.Radius);

    protected override (OnnxValue Values, OnnxValue? Unlikeness) Measure(OnnxValue cells, long[] places, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        return ((PlacedBank)reference).Emit(cells, Places(places, torch.CPU), options.Radius);
    }

    private torch.Tensor Places(long[] cells, torch.Device device)
    {
        var columns = Joined.Grid.Columns;
        return torch.tensor([.. cells.SelectMany(cell => new[] { (float)(cell / columns), cell % columns })], [cells.Length, 2],
            device: device);
    }
}
