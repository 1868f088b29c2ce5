using System.Globalization;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Spade;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Spade;

/// <summary>Every stage as the published code computes it, with its whole gallery and with the rest that it loses.</summary>
public sealed class SpadeGoldenTests : IDisposable
{
    private const double Close = 5e-6;

    private static readonly string[] Layers = ["layer1", "layer2", "layer3"];

    private readonly SafetensorsFile golden;
    private readonly DisposeScope scope = torch.NewDisposeScope();

    public SpadeGoldenTests() => golden = SafetensorsFile.Open(SharedFiles.MethodGolden("spade.safetensors"));

    private int Side => Size("S");

    private PatchGrid[] Grids
        => [.. Layers.Select(layer => golden.Entries[$"in.query.{layer}"].Shape)
        .Select(shape => PatchGrid.HalfPixel((int)shape[2], (int)shape[3], Side, Side))];

    [SkippableFact]
    public void Retrieve_ByPooledDescriptors_IsTheGoldenOne()
    {
        var (supports, queries) = (Features("support"), Features("query"));
        supports.Descriptor.ShouldBeClose(golden.Read("stage.support.avgpool"), 2e-6, "the last stage's mean");
        queries.Descriptor.ShouldBeClose(golden.Read("stage.query.avgpool"), 2e-6, "the last stage's mean");
        var gallery = new SpadeGallery(supports.Descriptor, [], [], losesRemainder: false);
        var (all, order) = gallery.Retrieve(queries.Descriptor, Size("n_support"));
        torch.zeros_like(all).scatter(1, order, all).ShouldBeClose(golden.Read("stage.image_distance"), 2e-6, "Euclidean distances");
        var (distances, images) = gallery.Retrieve(queries.Descriptor, Size("K"));
        distances.ShouldBeClose(golden.Read("stage.topk_distance"), 2e-6, "the K smallest, ascending");
        images.flatten().data<long>().Should().Equal(golden.Read("stage.topk_index").flatten().data<long>(), "the nearest images");
    }

    [SkippableTheory]
    [InlineData("full", false)]
    [InlineData("code", true)]
    public void Distances_OfEachLayer_AreTheGoldenOnes(string of, bool losesRemainder)
    {
        using var method = Method(losesRemainder);
        using var reference = (SpadeReference)method.BuildReference(Supports(method, Size("n_support")), null);
        var (gallery, queries) = (reference.Gallery(losesRemainder), Features("query"));
        var values = new torch.Tensor[Layers.Length];
        for (var layer = 0; layer < Layers.Length; layer++)
        {
            var tokens = queries.Maps[layer].flatten(2).transpose(1, 2);
            var found = values[layer] = torch.stack(
                [.. Enumerable.Range(0, Size("n_query")).Select(query => gallery.Distances(layer, tokens[query], Retrieved(query)))]);
            found.view(golden.Entries[$"{of}.{Layers[layer]}.min_distance"].Shape.ToArray())
                .ShouldBeClose(golden.Read($"{of}.{Layers[layer]}.min_distance"), Close, $"{of}: {Layers[layer]}");
            if (layer == 0)
            {
                Grids[0].ToImage(found[0], Side).ShouldBeClose(golden.Read($"{of}.layer1.upsampled_query0"), Close, "half-pixel centres");
            }
        }

        new MapMaker(MapUpsampling.CellCentres, Side).Mean(values, Grids)
            .ShouldBeClose(golden.Read($"{of}.map_mean"), Close, "the mean of the layers' maps");
    }

    [SkippableTheory]
    [InlineData("full", false)]
    [InlineData("code", true)]
    public void Method_OnTheGoldenMaps_ScoresAsTheGoldenStages(string of, bool losesRemainder)
    {
        using var method = Method(losesRemainder);
        using var reference = method.BuildReference(Supports(method, Size("n_support")), null);
        using var scored = method.Score(Features("query"), reference);
        scored.Scores.ShouldBeClose(golden.Read("image_score"), 2e-6, "the mean of the K distances");
        scored.Maps.ShouldBeClose(golden.Read($"{of}.map"), Close, "mean of the layers' maps, blurred");
    }

    [SkippableFact]
    public void Method_WithOneSupport_ScoresAsTheGoldenStages()
    {
        using var method = Method(losesRemainder: false);
        using var reference = method.BuildReference(Supports(method, 1), null);
        using var scored = method.Score(Features("query"), reference);
        scored.Scores.ShouldBeClose(golden.Read("oneshot_full.image_score"), 2e-6, "K is no larger than the supports are many");
        scored.Maps.ShouldBeClose(golden.Read("oneshot_full.map"), Close, "of one support");
    }

    public void Dispose()
    {
        golden.Dispose();
        scope.Dispose();
    }

    private int Size(string key) => int.Parse(golden.Metadata[key], CultureInfo.InvariantCulture);

    private SpadeMethod Method(bool losesRemainder) => new(new() { Neighbours = Size("K"), LosesRemainder = losesRemainder },
        TapSizes.FromGolden(golden, [.. Layers.Select(layer => $"in.query.{layer}")], Side), Grids);

    private StageFeatures Features(string whose, int? only = null)
    {
        torch.Tensor[] maps = [.. Layers.Append("layer4").Select(layer => golden.Read($"in.{whose}.{layer}"))];
        return StageFeatures.All([.. maps.Select(map => only is { } image ? map.narrow(0, image, 1) : map)]).Choose([1, 2, 3]);
    }

    private IReadOnlyList<torch.Tensor>[] Supports(SpadeMethod method, int count)
        => [.. Enumerable.Range(0, count).Select(i => method.Remember(Features("support", i)))];

    private long[] Retrieved(int query) => [.. golden.Read("stage.topk_index")[query].data<long>()];
}
