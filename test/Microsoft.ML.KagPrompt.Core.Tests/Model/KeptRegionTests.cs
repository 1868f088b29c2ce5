using System.Text.Json.Nodes;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using static Microsoft.ML.KagPrompt.Tests.Model.PartWithRegion;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>A model keeps its regions in its file and when it is adapted to new images.</summary>
public class KeptRegionTests
{
    [Fact]
    public void Load_SavedModel_KeepsTheRegion()
    {
        using var model = Fit(Small, Right);
        using var stream = Saved(model);
        using var loaded = KagPromptModel.Load(stream, "cpu");
        loaded.Options.Regions.Should().ContainKey("object").WhoseValue.Should().Be(Right);
        using var moved = loaded.WithThreshold(0.5f);
        var image = Spotted(20, 28, 60);
        moved.Inspect(image).Map.Should().Equal(model.Inspect(image).Map);
        moved.Inspect(image).Score.Should().Be(model.Inspect(image).Score);
        stream.Position = 0;
        ModelDescription.Read(stream).Options.Regions["object"].Should().Be(Right);
    }

    [Theory]
    [InlineData("""{"width":160,"height":120,"shape":true,"runs":[19199]}""", "*manifest is damaged*")]
    [InlineData("""{"width":160,"height":120,"shape":true,"runs":[19199,1]}""", "*Regions['object']*centre of a patch*")]
    [InlineData("null", "*options are damaged*Regions['object']*")]
    public void Load_DamagedRegion_IsRefused(string region, string message)
    {
        using var model = Fit(Small, Right);
        using var stream = Saved(model);
        var damaged = ModelZip.WithHeader(stream.ToArray(), header =>
        {
            var metadata = header["__metadata__"]!.AsObject();
            var manifest = JsonNode.Parse(metadata["manifest"]!.GetValue<string>())!;
            manifest["options"]!["regions"]!["object"] = JsonNode.Parse(region);
            metadata["manifest"] = manifest.ToJsonString();
            metadata["manifest.sha256"] = HashedText.HashOf(manifest.ToJsonString());
        });
        FluentActions.Invoking(() => KagPromptModel.Load(new MemoryStream(damaged), "cpu")).Should().Throw<ModelFormatException>()
            .WithMessage(message);
    }

    [Fact]
    public void Adapt_Regions_AreOfTheirClassesAndStay()
    {
        using var model = Fit(Small, null);
        var nut = Supports.Select(support => support with { ClassName = "nut" }).ToArray();
        using var adapted = KagPromptTrainer.Adapt(model, nut, regions: Regions("nut", Right));
        (adapted.Options.Regions.Keys.Single(), model.Options.Regions.Count).Should().Be(("nut", 0));
        var image = TestImages.Part(Width, Height, 20);
        adapted.Inspect(image, "object").Map.Should().OnlyContain(value => float.IsFinite(value));
        adapted.Inspect(image, "nut").Map.Should().Contain(value => float.IsNaN(value));
        using var again = KagPromptTrainer.Adapt(adapted, nut.Take(2));
        again.Inspect(image, "nut").Map.Count(float.IsNaN)
            .Should().Be(adapted.Inspect(image, "nut").Map.Count(float.IsNaN), "new images of the class keep its region");
        adapted.InspectFusions([image], ["nut"], [new ScoreFusion()])[0][0].Map.Should().Equal(adapted.Inspect(image, "nut").Map);
        FluentActions.Invoking(() => KagPromptTrainer.Adapt(model, nut, regions: Regions("nuts", Right)))
            .Should().Throw<ArgumentException>().WithMessage("Regions['nuts']*'nut'*");
    }

    private static MemoryStream Saved(KagPromptModel model)
    {
        var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        return stream;
    }
}
