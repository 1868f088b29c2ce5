using System.Text.Json.Nodes;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>What supports show in the same place, for parts that lie alike.</summary>
public sealed class NearWeightTests
{
    private const int Side = 112;
    private const int Tile = 28;

    // A board of sixteen parts of four kinds, always in the same places.
    private static readonly int[] Places = [0, 1, 2, 3, 3, 0, 1, 2, 1, 3, 0, 2, 2, 0, 3, 1];

    [Fact]
    public void Inspect_SoundPieceInTheWrongPlace_IsFoundWherePartsLieAlike()
    {
        var supports = Enumerable.Range(0, 3).Select(seed => Board(Places, seed)).ToArray();
        // Two neighbours have changed places: each patch of it, but for the seams, is on other supports.
        int[] swapped = [.. Places];
        (swapped[5], swapped[6]) = (swapped[6], swapped[5]);
        using var anywhere = Fit(supports, 0);
        using var near = Fit(supports, 0.5f);
        var (sound, wrong) = (Board(Places, 8), Board(swapped, 9));
        double Stands(KagPromptModel model) => model.Inspect(wrong, "object").Score / model.Inspect(sound, "object").Score;
        Stands(near).Should().BeGreaterThan(1.1 * Stands(anywhere));
        near.Inspect(wrong, "object").IsAnomalous.Should().BeTrue();

        using var file = new MemoryStream();
        near.Save(file);
        file.Position = 0;
        using var loaded = KagPromptModel.Load(file);
        loaded.Inspect(wrong, "object").Map.Should().Equal(near.Inspect(wrong, "object").Map);
    }

    [Fact]
    public void Inspect_PartsThatLieThisWayAndThat_AreLookedUpAnywhere()
    {
        PixelBuffer Mixed(int seed)
        {
            int[] places = [.. Places];
            new Random(seed).Shuffle(places);
            return Board(places, seed);
        }

        var supports = Enumerable.Range(0, 3).Select(Mixed).ToArray();
        using var anywhere = Fit(supports, 0);
        using var near = Fit(supports, 0.5f);
        near.Inspect(Mixed(9), "object").Map.Should().Equal(anywhere.Inspect(Mixed(9), "object").Map);
    }

    [Fact]
    public void Inspect_BoardTurnedAsSupportsWereTurned_IsFoundWherePartsLieAlike()
    {
        var supports = Enumerable.Range(0, 3).Select(seed => Board(Places, seed)).ToArray();
        // Every patch of it is remembered of a turned support, which has shown none in its place.
        var (sound, turned) = (Board(Places, 8), Board(Places, 9).Rotate90(1));
        using var anywhere = Fit(supports, 0, turns: true);
        using var near = Fit(supports, 0.5f, turns: true);
        double Stands(KagPromptModel model) => model.Inspect(turned, "object").Score / model.Inspect(sound, "object").Score;
        Stands(near).Should().BeGreaterThan(1.3 * Stands(anywhere));
    }

    [Fact]
    public void Load_PlacesOfTheBanksOwnPatches_ScoresTheSame()
    {
        using var scope = torch.NewDisposeScope();
        using var model = Fit(Enumerable.Range(0, 3).Select(seed => Board(Places, seed)), 0.5f, isThinned: false);
        // As files were before a bank was thinned out: no patches beside its own, and of each of those its cell.
        using var older = Rewritten(model, (name, read) => name.Contains(".placed.", StringComparison.Ordinal) ? null
            : name.Contains(".near.", StringComparison.Ordinal) ? Cells(read()) : read());
        using var loaded = KagPromptModel.Load(older);
        var board = Board(Places, 8);
        loaded.Inspect(board, "object").Map.Should().Equal(model.Inspect(board, "object").Map);
    }

    [Theory]
    [InlineData(-0.5f, 1.5f)]
    [InlineData(0.5f, 0.25f)]
    public void Load_WeightsThatAreNone_AreRefused(float first, float second)
    {
        using var scope = torch.NewDisposeScope();
        using var model = Fit([Board(Places, 1)], 0);
        torch.Tensor Wrong(torch.Tensor weights)
        {
            var values = new float[weights.numel()];
            (values[0], values[1]) = (first, second);
            return torch.tensor(values, [1, values.Length]);
        }

        using var damaged = Rewritten(model, (name, read) => name.Contains(".weights.1", StringComparison.Ordinal) ? Wrong(read()) : read());
        FluentActions.Invoking(() => KagPromptModel.Load(damaged)).Should().Throw<ModelFormatException>().WithMessage("*weights*sum is 1*");
    }

    /// <summary>A saved model some of whose tensors are others, or none, with hashes that are right again.</summary>
    private static MemoryStream Rewritten(KagPromptModel model, Func<string, Func<torch.Tensor>, torch.Tensor?> change)
    {
        using var saved = new MemoryStream();
        model.Save(saved);
        saved.Position = 0;
        using var file = SafetensorsFile.Read(saved, "model");
        var tensors = file.Entries.Keys.Select(name => (Name: name, Tensor: change(name, () => file.Read(name))))
            .Where(entry => entry.Tensor is not null).ToDictionary(entry => entry.Name, entry => entry.Tensor!);
        var manifest = JsonNode.Parse(file.Metadata["manifest"])!;
        manifest["tensors"] = new JsonObject(tensors.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)HashedTensors.HashOf(entry.Value))));
        var rewritten = new MemoryStream();
        SafetensorsWriter.Write(rewritten, tensors,
            new Dictionary<string, string> { ["manifest"] = manifest.ToJsonString(), ["manifest.sha256"] = HashedText.HashOf(manifest.ToJsonString()) });
        rewritten.Position = 0;
        return rewritten;
    }

    /// <summary>Supports one after the other, each cell by cell.</summary>
    private static torch.Tensor Cells(torch.Tensor cells)
        => torch.arange(cells.shape[0]).remainder(cells.shape[0] / 3).to(torch.float32).unsqueeze(1);

    private static KagPromptModel Fit(IEnumerable<PixelBuffer> supports, float weight, bool turns = false, bool isThinned = true)
        => KagPromptTrainer.Fit(supports.Select(image => new TrainingImage { Image = image }), new FitChoices
        {
            Backbone = "resnet18",
            Epochs = 0,
            ImageSize = Side,
            NearWeight = weight,
            TopK = 502,
            RotateSupports = turns,
            Coreset = isThinned ? new() : CoresetOptions.Off,
            Seed = 1,
        });

    /// <summary>Tiles of stripes, squares, rings or nothing, with a little noise.</summary>
    private static PixelBuffer Board(int[] kinds, int seed)
    {
        var random = new Random(seed);
        var rgb = new byte[Side * Side * 3];
        for (var p = 0; p < Side * Side; p++)
        {
            var (y, x) = (p / Side, p % Side);
            var (v, u) = (y % Tile, x % Tile);
            var isDark = kinds[(y / Tile * 4) + (x / Tile)] switch
            {
                0 => v / 4 % 2 == 0,
                1 => u is > 6 and < 22 && v is > 6 and < 22,
                2 => Math.Abs(Math.Sqrt(((u - 13.5) * (u - 13.5)) + ((v - 13.5) * (v - 13.5))) - 9) < 2.5,
                _ => false,
            };
            rgb.AsSpan(3 * p, 3).Fill((byte)((isDark ? 60 : 200) + random.Next(9)));
        }

        return new PixelBuffer(Side, Side, rgb);
    }
}
