using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Cells;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.AnomalyDino;

/// <summary>A cell's value is its cosine distance to the nearest normal one, wherever that lay.</summary>
internal sealed class NearestScorer(AnomalyDinoOptions options, MethodSizes sizes) : PatchScorer(options, sizes)
{
    public override ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
        => new PatchBankReference(PatchBankReference.Read(source, [Joined.Width], device)) { Region = region };

    protected override ClassReference Build(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, ClassRegion? region)
        => new PatchBankReference(MemoryBank.Build(supports)) { Region = region };

    protected override (torch.Tensor Values, torch.Tensor? Unlikeness) Measure(torch.Tensor cells, long[] places, ClassReference reference)
    {
        var (distances, unlikeness) = ((PatchBankReference)reference).Bank.Compare([cells]);
        return (distances[0], unlikeness);
    }

    protected override (OnnxValue Values, OnnxValue? Unlikeness) Measure(OnnxValue cells, long[] places, ClassReference reference)
    {
        var (distances, unlikeness) = ((PatchBankReference)reference).Bank.Emit([cells], [places.Length]);
        return (distances[0], unlikeness);
    }
}
