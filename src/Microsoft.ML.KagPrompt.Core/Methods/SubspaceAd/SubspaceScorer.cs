using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Cells;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.SubspaceAd;

/// <summary>A cell's value is the length of what the supports' subspace leaves of it.</summary>
internal sealed class SubspaceScorer(SubspaceOptions options, MethodSizes sizes) : PatchScorer(options, sizes)
{
    public override ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        return new NormalSubspace(StoredMatrix.Read(source, "mean", 1, Joined.Width).to(device),
            StoredMatrix.Read(source, "basis", -1, Joined.Width).to(device)) { Region = region };
    }

    /// <summary>Supports are put together anew for each one left out: of thousands of cells that would take long.</summary>
    protected override torch.Tensor Condensed(torch.Tensor kept) => NormalSubspace.Condense(kept[0]).unsqueeze(0);

    protected override ClassReference Build(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, ClassRegion? region)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (mean, basis) = NormalSubspace.Fit(torch.cat([.. supports.Select(kept => kept[0].flatten(0, 1))], 0), options.Variance);
        return new NormalSubspace(mean, basis) { Region = region };
    }

    protected override (torch.Tensor Values, torch.Tensor? Unlikeness) Measure(torch.Tensor cells, long[] places, ClassReference reference)
        => (((NormalSubspace)reference).Residuals(cells), null);

    protected override (OnnxValue Values, OnnxValue? Unlikeness) Measure(OnnxValue cells, long[] places, ClassReference reference)
        => (((NormalSubspace)reference).Emit(cells), null);
}
