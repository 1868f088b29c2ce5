using System.Globalization;
using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Evaluation;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Choices;

/// <summary>What a photograph or two score against themselves, beside what other pictures of the product score against them.</summary>
internal static class OnePhotograph
{
    /// <summary>Writes, for each draw, what one.py reads.</summary>
    public static void Run(string folder, int shots, int draws, MethodOptions method, TextWriter output)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var product = Product.FromDatasets([new FewShotDataset(name, AnomalyDataset.List(folder))], shots).Single();
        var files = new EvaluationFiles();
        for (var draw = 0; draw < draws; draw++)
        {
            var photographs = product.Draw(draw).Take(shots).Select(files.Read).ToArray();
            using var model = KagPromptTrainer.Fit(photographs.Select(photograph => new TrainingImage { Image = photograph }),
                new InspectionOptions { Method = method });
            var (className, state) = model.Classes.Single();
            Write("defects", state.Calibration.SyntheticScores);
            Write("left", state.Calibration.NormalScores);
            Write("itself", photographs.SelectMany(photograph => AgainstItself(model, className, state, photograph)));
            foreach (var kind in product.Test.GroupBy(image => image.IsAnomalous == true ? "bad" : "good"))
            {
                Write(kind.Key, kind.Chunk(16).SelectMany(chunk => model.Inspect([.. chunk.Select(files.Read)], new string?[chunk.Length]))
                    .Select(inspection => inspection.Score));
            }

            void Write(string kind, IEnumerable<float> scores) => output.WriteLine(
                $"{name},{draw},{kind},{string.Join(',', scores.Select(score => score.ToString("0.######", CultureInfo.InvariantCulture)))}");
        }

        output.Flush();
    }

    private static List<float> AgainstItself(KagPromptModel model, string className, ClassState state, PixelBuffer photograph)
    {
        var square = model.Network.Preprocessor.Resize(photograph);
        using var features = model.Network.Encode([square]);
        var scores = new List<float>();
        foreach (var others in OnlySupport.References(model.Network, new ProductImage(square, className), features, state.Reference.Value, 0))
        {
            using (others)
            using (var scored = model.Network.Score(features, others))
            {
                scores.Add(scored.Scores.item<float>());
            }
        }

        return scores;
    }
}
