using System.Globalization;
using System.IO.Compression;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Models made on one machine and used on another: with other words for numbers, in other folders.</summary>
public sealed class OtherPlaceTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private readonly MLContext ml = new(seed: 1);

    /// <summary>Decimal separators, minus signs and digits' groups of German, Turkish and Persian.</summary>
    [Theory]
    [InlineData("de", ",", ".", "-")]
    [InlineData("tr", ",", ".", "-")]
    [InlineData("fa", "\u066B", "\u066C", "\u200E\u2212")]
    public void FitSaveLoadScore_OtherCulture_GivesTheSameBits(string name, string point, string group, string minus)
    {
        var expected = FitAndScore("invariant.zip");
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = new CultureInfo("")
        {
            NumberFormat = { NumberDecimalSeparator = point, NumberGroupSeparator = group, NegativeSign = minus },
        };
        try
        {
            (-0.5f).ToString().Should().Be($"{minus}0{point}5", "the culture is in force");
            var found = FitAndScore($"{name}.zip");
            found.Should().BeEquivalentTo(expected);
            ScoresOf("invariant.zip").Should().Equal(expected.Scores, "a model of another culture loads");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        ScoresOf($"{name}.zip").Should().Equal(expected.Scores);
    }

    [Fact]
    public void Load_FolderOfTheImagesMoved_ScoresByPathAndNamesWhereANameWasLookedFor()
    {
        var (first, then) = (Directory.CreateDirectory(parts.Path("first")).FullName, parts.Path("then"));
        foreach (var path in parts.Normal)
        {
            File.Copy(path, Path.Combine(first, Path.GetFileName(path)));
        }

        var rows = ml.Data.LoadFromEnumerable(parts.Normal.Select(path => new PartRow { ImagePath = Path.GetFileName(path) }));
        var model = ml.Transforms.LoadImages("Image", first, "ImagePath").Append(ml.Transforms.DetectAnomaliesKag(Options)).Fit(rows);
        using (model as IDisposable)
        {
            ml.Model.Save(model, rows.Schema, parts.Path("moved.zip"));
        }

        Directory.Move(first, then);
        var loaded = ml.Model.Load(parts.Path("moved.zip"), out _);
        using var owned = loaded as IDisposable;
        float Score(string path) => loaded.Transform(ml.Data.LoadFromEnumerable([new PartRow { ImagePath = path }])).GetColumn<float>("Score").Single();
        Score(Path.Combine(then, "normal0.png")).Should().Be(Score(parts.Normal[0]), "an absolute path needs no folder");
        FluentActions.Invoking(() => Score("normal0.png")).Should().Throw<Exception>().WithMessage($"*{first}*");
    }

    private static KagPromptOptions Options => new() { Images = new() { Size = 56 }, Device = "cpu", Seed = 1 };

    private (float[] Scores, string Explanation, string Options) FitAndScore(string name)
    {
        var rows = Rows(parts.Normal);
        using (var model = ml.Transforms.DetectAnomaliesKag(Options).Fit(rows))
        {
            ml.Model.Save(model, rows.Schema, parts.Path(name));
        }

        using var loaded = (KagPromptTransformer)ml.Model.Load(parts.Path(name), out _);
        using var zip = ZipFile.OpenRead(parts.Path(name));
        using var options = new StreamReader(zip.Entries.Single(entry => entry.Name == "KagPrompt.options.json").Open());
        return (ScoresOf(name), loaded.Calibration().Explanation, options.ReadToEnd());
    }

    private float[] ScoresOf(string name)
    {
        var model = ml.Model.Load(parts.Path(name), out _);
        using var owned = model as IDisposable;
        return [.. model.Transform(Rows(parts.Queries)).GetColumn<float>("Score")];
    }

    private IDataView Rows(string[] paths)
    {
        var rows = ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }).ToArray());
        return ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(rows).Transform(rows);
    }
}
