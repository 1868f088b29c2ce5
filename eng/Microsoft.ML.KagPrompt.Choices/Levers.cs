using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Evaluation;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Synthesis;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Choices;

/// <summary>Ways to score beside the default, each alone and some together, and what the supports alone say of each.</summary>
internal sealed class Levers(string folder, int shots, int draws, int twins) : IDisposable
{
    private static readonly int[] radii = [2, 4];
    private readonly IDisposable scope = NewDisposeScope();
    private readonly Random random = new(1);

    public void Dispose() => scope.Dispose();

    public void Run(TextWriter output)
    {
        using var nothing = no_grad();
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var product = Product.FromDatasets([new FewShotDataset(name, AnomalyDataset.List(folder))], shots).Single();
        var files = new EvaluationFiles();
        using var tower = BackboneSources.Open("resnet18", []).LoadVision(ScalarType.Float32, false, null);
        var banks = Enumerable.Range(0, draws).Select(seed => product.Draw(seed).Take(shots).ToArray()).ToArray();
        var pool = banks.SelectMany(bank => bank).Distinct().ToArray();
        var labels = product.Test.Select(image => image.IsAnomalous == true).ToArray();
        var masks = product.Test.Select(image => image.MaskPath is null && image.IsAnomalous == true ? null : files.ReadMask(image, 224, ResizeMode.Stretch)).ToArray();
        var hasMasks = product.Test.Any(image => image.MaskPath is not null);
        var preprocessor = new ImagePreprocessor(224, ResizeMode.Stretch, tower.Info.Mean, tower.Info.Std);
        var grids = tower.Info.TapGrids(224);
        var maker = new MapMaker(MapUpsampling.CellCentres, 224);
        var squares = pool.Select(image => preprocessor.Resize(files.Read(image))).ToArray();
        var plain = squares.Select(square => Encode(tower, preprocessor, square)).ToArray();
        var turned = squares.Select(square => Views(tower, preprocessor, square)).ToArray();
        var tests = product.Test.Select(image => Encode(tower, preprocessor, preprocessor.Resize(files.Read(image)))).ToArray();
        var beyond = radii.Select(r => Offsets(28, (dy, dx) => Math.Max(Math.Abs(dy), Math.Abs(dx)) <= r ? 0f : -4f)).ToArray();
        var synthesizer = new NsaSynthesizer(SynthesisOptions.FitTo(squares));
        for (var draw = 0; draw < draws; draw++)
        {
            using var drawn = NewDisposeScope();
            var places = banks[draw].Select(image => Array.IndexOf(pool, image)).ToArray();
            // Tests, then supports, then their defects.
            var pictures = tests.Select(taps => (Kind: "", Left: -1, Taps: taps)).ToList();
            pictures.AddRange(places.Select((place, i) => ("loo", i, plain[place])));
            for (var i = 0; i < shots; i++)
            {
                for (var t = 0; t < twins; t++)
                {
                    var twin = synthesizer.Synthesize(squares[places[i]], squares[places[(i + 1 + (t % Math.Max(1, shots - 1))) % shots]], new Random((i * 31) + t));
                    if (twin.HasDefect)
                    {
                        pictures.Add(("twin", i, Encode(tower, preprocessor, twin.Image)));
                    }
                }
            }

            var maps = new Dictionary<string, Tensor[]>();
            for (var p = 0; p < pictures.Count; p++)
            {
                using var inner = NewDisposeScope();
                var (_, left, own) = pictures[p];
                var found = new Dictionary<string, Tensor[]>();
                for (var tap = 0; tap < own.Length; tap++)
                {
                    foreach (var s in places.Where((_, i) => i != left))
                    {
                        var similar = own[tap].matmul(plain[s][tap].t());
                        var anywhere = similar.amax([1]);
                        Put("plain", anywhere);
                        Put("views", maximum(anywhere, own[tap].matmul(turned[s][tap].t()).amax([1])));
                        for (var r = 0; r < radii.Length; r++)
                        {
                            Put($"near{radii[r]}", similar.Plus(beyond[r]).amax([1]));
                        }
                    }

                    void Put(string variant, Tensor similarity)
                    {
                        if (!found.TryGetValue(variant, out var taps))
                        {
                            found[variant] = taps = new Tensor[own.Length];
                        }

                        taps[tap] = taps[tap] is null ? similarity : maximum(taps[tap], similarity);
                    }
                }

                foreach (var (variant, taps) in found)
                {
                    if (!maps.TryGetValue(variant, out var all))
                    {
                        maps[variant] = all = new Tensor[pictures.Count];
                    }

                    all[p] = maker.Mean([.. taps.Select(tap => tap.Complement().unsqueeze(0))], grids)[0].contiguous().MoveToOuterDisposeScope();
                }
            }

            foreach (var r in radii)
            {
                maps[$"mix{r}"] = [.. maps["views"].Zip(maps[$"near{r}"], (a, b) => a.Plus(b).Times(0.5))];
            }

            foreach (var variant in maps.Keys.ToArray())
            {
                Report(draw, variant, pictures, maps[variant]);
                if (variant is not ("views" or "mix2"))
                {
                    continue;
                }

                var loo = maps[variant][tests.Length..(tests.Length + shots)];
                foreach (var width in new[] { 15, 45 })
                {
                    var usual = Enumerable.Range(-1, shots + 1).Select(left => Blur(stack([.. loo.Where((_, i) => i != left)]).mean([0]), width)).ToArray();
                    foreach (var softness in new[] { 0.5, 1.5, 4 })
                    {
                        using var inner = NewDisposeScope();
                        Report(draw, FormattableString.Invariant($"{variant}/place{width}/{softness}"), pictures,
                            [.. maps[variant].Select((map, p) => map.div(usual[pictures[p].Left + 1].Plus(usual[pictures[p].Left + 1].mean().Times(softness))))]);
                    }
                }
            }
        }

        void Report(int draw, string variant, List<(string Kind, int Left, Tensor[] Taps)> pictures, Tensor[] maps)
        {
            var scores = maps.Select(Score).ToArray();
            for (var p = 0; p < pictures.Count; p++)
            {
                var kind = p < labels.Length ? labels[p] ? "bad" : "good" : pictures[p].Kind;
                output.WriteLine(FormattableString.Invariant($"S,{name},{shots},{draw},{variant},{kind},{(p < labels.Length ? p : pictures[p].Left)},{scores[p]:0.000000}"));
            }

            var pixel = double.NaN;
            if (hasMasks)
            {
                var (values, truth) = (new List<float>(), new List<bool>());
                for (var p = 0; p < labels.Length; p++)
                {
                    if (!labels[p] || masks[p] is { Length: > 0 })
                    {
                        var data = maps[p].data<float>().ToArray();
                        for (var i = 0; i < data.Length; i += 7)
                        {
                            values.Add(data[i]);
                            truth.Add(labels[p] && masks[p]![i]);
                        }
                    }
                }

                pixel = RocMetrics.Auroc(values.ToArray(), truth.ToArray());
            }

            output.WriteLine(FormattableString.Invariant($"A,{name},{shots},{draw},{variant},{100 * RocMetrics.Auroc(scores[..labels.Length], labels):0.00},{100 * pixel:0.00}"));
            output.Flush();
        }
    }

    private static float Score(Tensor map)
    {
        using var inner = NewDisposeScope();
        var fusion = new ScoreFusion();
        return ImageScore.TopMean(ImageScore.Contrasted(map.unsqueeze(0), fusion.LocalContrast, null), fusion.TopK).item<float>();
    }

    private static Tensor Blur(Tensor map, int width)
    {
        var once = nn.functional.avg_pool2d(map.unsqueeze(0).unsqueeze(0), width, 1, width / 2, count_include_pad: false);
        return nn.functional.avg_pool2d(once, width, 1, width / 2, count_include_pad: false)[0, 0];
    }

    private static Tensor Offsets(int side, Func<int, int, float> value)
    {
        var values = new float[side * side * side * side];
        for (var a = 0; a < side * side; a++)
        {
            for (var b = 0; b < side * side; b++)
            {
                values[(a * side * side) + b] = value((a / side) - (b / side), (a % side) - (b % side));
            }
        }

        return tensor(values, [side * side, side * side]);
    }

    private Tensor[] Views(IVisionTower tower, ImagePreprocessor preprocessor, PixelBuffer square)
    {
        var kinds = new[] { square, Mirrored(square) }.SelectMany(image => Enumerable.Range(0, 4).Select(image.Rotate90)).Skip(1)
            .Select(view => Encode(tower, preprocessor, view)).ToArray();
        var cells = (int)kinds[0][0].shape[0];
        var chosen = kinds.Select(_ => tensor(Enumerable.Range(0, cells).Where(_ => random.NextDouble() < 1 / 7.0).Select(i => (long)i).ToArray())).ToArray();
        return [.. Enumerable.Range(0, kinds[0].Length).Select(tap => cat([.. kinds.Select((view, v) => view[tap].index_select(0, chosen[v]))], 0))];
    }

    private static Tensor[] Encode(IVisionTower tower, ImagePreprocessor preprocessor, PixelBuffer square)
    {
        using var inner = NewDisposeScope();
        using var features = tower.Encode(preprocessor.Normalize([square]));
        return [.. features.PatchTokens.Select(tokens => tokens[0].UnitLength(-1).contiguous().MoveToOuterDisposeScope())];
    }

    private static PixelBuffer Mirrored(PixelBuffer image)
    {
        var rgb = new byte[image.Rgb.Length];
        for (var i = 0; i < image.Width * image.Height; i++)
        {
            image.Rgb.AsSpan(((i / image.Width * image.Width) + image.Width - 1 - (i % image.Width)) * 3, 3).CopyTo(rgb.AsSpan(i * 3));
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }
}
