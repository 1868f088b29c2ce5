using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>Several models in one process take turns on their device.</summary>
public sealed class SeveralModelsTests
{
    [Fact]
    public async Task Inspect_TwoModelsEightCallers_RunsOneForwardAtATimeWithTheSameResults()
    {
        using var first = Fit(1);
        using var second = Fit(2);
        var count = new Concurrency();
        var models = new[] { Counted(first, count), Counted(second, count) };
        var images = Enumerable.Range(0, 8).Select(i => TestImages.Part(60 + i, 50, 50 + i, defective: i % 2 == 0)).ToArray();
        var alone = images.Select((image, i) => (i % 2 == 0 ? first : second).Inspect(image)).ToArray();
        var together = await Task.WhenAll(images.Select((image, i) => i < 4
            ? Task.Run(() => models[i % 2].Inspect(image))
            : One(models[i % 2].InspectAsync([image], [null]))));
        count.Most.Should().Be(1);
        count.Forwards.Should().Be(8);
        together.Select(result => result.Score).Should().Equal(alone.Select(result => result.Score));
        together.Select(result => result.Map).Should().BeEquivalentTo(alone.Select(result => result.Map), order => order.WithStrictOrdering());
        first.Dispose();
        models[1].Inspect(images[1]).Score.Should().Be(alone[1].Score, "the other goes on");

        static async Task<Inspection> One(Task<IReadOnlyList<Inspection>> results) => (await results)[0];
    }

    private static KagPromptModel Fit(int seed)
        => KagPromptTrainer.Fit(Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(60 + i, 50, i + (10 * seed)) }),
            new FitChoices { Epochs = 0, ImageSize = 56 });

    /// <summary>The same model with its forwards counted. What it is made of stays the first one's.</summary>
    private static KagPromptModel Counted(KagPromptModel model, Concurrency count)
    {
        var inner = model.Network.Encoder;
        var tower = new Shared<NetworkTower>(new NetworkTower("counted", new CountedTower(inner.Tower, count), null, null));
        var encoder = new FeatureEncoder(tower, null, model.Options.Images, inner.Device);
        return new(new Shared<InspectionNetwork>(new InspectionNetwork(encoder, model.Network.Method)), model.Options, model.Classes);
    }

    private sealed class Concurrency
    {
        private readonly Lock sync = new();
        private int now;

        public int Most { get; private set; }

        public int Forwards { get; private set; }

        public void Add(int change)
        {
            lock (sync)
            {
                now += change;
                (Most, Forwards) = (Math.Max(Most, now), Forwards + Math.Max(0, change));
            }
        }
    }

    /// <summary>Long enough under way to be met by another.</summary>
    private sealed class CountedTower(IVisionTower inner, Concurrency count) : IVisionTower
    {
        public VisionTowerInfo Info => inner.Info;

        public string Family => inner.Family;

        public string ConfigurationJson => inner.ConfigurationJson;

        public IReadOnlyDictionary<string, torch.Tensor> Weights => inner.Weights;

        public VisionFeatures Encode(torch.Tensor images, bool forPrompt)
        {
            count.Add(1);
            Thread.Sleep(30);
            var features = inner.Encode(images, forPrompt);
            count.Add(-1);
            return features;
        }

        public void MoveTo(torch.Device device) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
