using System.Globalization;
using System.Text.Json;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Choices;
using Microsoft.ML.KagPrompt.Evaluation;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

const string Usage = """
    Measures on data sets what defaults are chosen by.
      scores --data DIR[,DIR] --out FILE [--backbone resnet18] [--shots 1,2,4,8,16] [--draws 5] [--radius R] [--views none|turns|flips] [--keep-first 1] [--keep 1: share of the patches of each picture, and of its views]
             [--taps 1,2,3] [--size 224]
        Writes one line a score: set, shots, draw, kind, picture, mean of the largest 30, of 0.3 %, 1 %, 3 % of the map, maximum; prints AUROC.
      levers --data DIR[,DIR] --out FILE [--shots 4] [--draws 2] [--twins 4]
        Ways to score beside the default, of tests, left-out supports and synthetic defects on them. Writes lines "A, set, shots, draw, way, image AUROC, pixel
        AUROC" and "S, set, shots, draw, way, kind, picture, mean of the largest one percent of the contrasted map", which thresholds.py reads.
      one --data DIR[,DIR] --out FILE [--shots 1] [--draws 6] [--method kag]
        Models of one photograph or two: lines "set, draw, kind, scores…" of test images, synthetic defects, each photograph against the others, and each against its
        views (first) and halves, which one.py reads.
      foreign --data DIR,DIR[,DIR] [--shots 4]
        How many pictures are told as foreign by a default model of each set (one draw): its own test images, the first eight good ones of each other set,
        and frames that show nothing.
      coreset --data DIR[,DIR] [--shots 4,16] [--draws 2] [--keep all,0.5:8: shares of a support's patches, and the pictures that bound them all]
        Default models that hold an image against all patches of the supports, or against a coreset of them.
      contrast --data DIR[,DIR] [--shots 4,16] [--draws 2] [--backbone resnet18] [--share 0,0.4]
        Default models whose score takes that share of its surroundings off each of the map's values.
    """;
var options = new Dictionary<string, string>();
foreach (var pair in args.Skip(1).Chunk(2))
{
    options[pair[0][2..]] = pair[1];
}

if (args.FirstOrDefault() == "one")
{
    using var lines = new StreamWriter(Value("out", "/dev/null"));
    foreach (var folder in Value("data", "").Split(','))
    {
        OnePhotograph.Run(folder, int.Parse(Value("shots", "1")), int.Parse(Value("draws", "6")), MethodOf(Value("method", "kag")), lines);
    }

    return 0;
}

if (args.FirstOrDefault() == "levers")
{
    using var lines = new StreamWriter(Value("out", "/dev/null"));
    foreach (var folder in Value("data", "").Split(','))
    {
        using var one = new Levers(folder, int.Parse(Value("shots", "4")), int.Parse(Value("draws", "2")), int.Parse(Value("twins", "4")));
        one.Run(lines);
    }

    return 0;
}

if (args.FirstOrDefault() == "foreign")
{
    NativeHeap.Keep();
    ForeignPictures.Run(Value("data", "").Split(','), int.Parse(Value("shots", "4")), Console.Out);
    return 0;
}

if (args.FirstOrDefault() == "coreset")
{
    NativeHeap.Keep();
    Choose("keep", "all,0.5:8", text => new() { Method = new KagOptions { Coreset = CoresetOf(text) } });
    return 0;
}

if (args.FirstOrDefault() == "contrast")
{
    NativeHeap.Keep();
    Choose("share", "0,0.4", text => new()
    {
        Backbone = new() { Name = Value("backbone", "resnet18") },
        Method = new KagOptions { Fusion = new() { LocalContrast = float.Parse(text, CultureInfo.InvariantCulture) } },
    });
    return 0;
}

if (args.FirstOrDefault() != "scores")
{
    Console.WriteLine(Usage);
    return 2;
}

NativeHeap.Keep();
var shots = Value("shots", "1,2,4,8,16").Split(',').Select(int.Parse).ToArray();
var draws = int.Parse(Value("draws", "5"), CultureInfo.InvariantCulture);
using var output = new StreamWriter(Value("out", "/dev/null"));
var totals = new Dictionary<int, List<(double Thirty, double Percent, double Pixel)>>();
foreach (var folder in Value("data", "").Split(','))
{
    using var scope = NewDisposeScope();
    Measure(folder);
}

foreach (var (k, figures) in totals.OrderBy(entry => entry.Key))
{
    Console.WriteLine(FormattableString.Invariant($"MEAN {k} shots: image {100 * figures.Average(f => f.Thirty):0.00} / {100 * figures.Average(f => f.Percent):0.00}, pixel {100 * figures.Where(f => !double.IsNaN(f.Pixel)).Select(f => f.Pixel).DefaultIfEmpty(double.NaN).Average():0.00}"));
}

return 0;

void Choose(string option, string otherwise, Func<string, InspectionOptions> optionsOf)
    => DefaultChoices.Run(Value("data", "").Split(','), [.. Value("shots", "4,16").Split(',').Select(int.Parse)], int.Parse(Value("draws", "2")),
        Value(option, otherwise).Split(','), optionsOf, Console.Out);

CoresetOptions CoresetOf(string text) => text.Split(':') is [var share, var pictures]
    ? new() { Share = float.Parse(share, CultureInfo.InvariantCulture), Pictures = int.Parse(pictures, CultureInfo.InvariantCulture) }
    : CoresetOptions.Off;

// Many shots share most of the pool: one draw of them says what several would.
int DrawsOf(int k) => k > 8 ? Math.Min(1, draws) : draws;

MethodOptions MethodOf(string name) => JsonSerializer.Deserialize<MethodOptions>($$"""{"name":"{{name}}"}""")!;

string Value(string name, string otherwise) => options.GetValueOrDefault(name, otherwise);

void Measure(string folder)
{
    var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
    var product = Product.FromDatasets([new FewShotDataset(name, AnomalyDataset.List(folder))], shots.Max()).Single();
    var files = new EvaluationFiles();
    int[]? taps = options.TryGetValue("taps", out var text) ? [.. text.Split(',').Select(int.Parse)] : null;
    using var tower = BackboneSources.Open(Value("backbone", "resnet18"), []).LoadVision(ScalarType.Float32, false, taps);
    var side = int.Parse(Value("size", tower.Info.ImageSize.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
    var preprocessor = new ImagePreprocessor(side, ResizeMode.Stretch, tower.Info.Mean, tower.Info.Std);
    var grids = tower.Info.TapGrids(side);
    var drawn = Enumerable.Range(0, draws).Select(seed => product.Draw(seed)).ToArray();
    var pool = shots.SelectMany(k => drawn.Take(DrawsOf(k)).SelectMany(order => order.Take(k))).Distinct().ToArray();
    var place = pool.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
    var squares = pool.Select(image => preprocessor.Resize(files.Read(image))).ToArray();
    var pictures = product.Test.Select(image => (Kind: image.IsAnomalous == true ? "bad" : "good", Square: preprocessor.Resize(files.Read(image)))).ToArray();
    Func<PixelBuffer, PixelBuffer[]> views = Value("views", "none") switch
    {
        "turns" => square => [.. Enumerable.Range(0, 4).Select(square.Rotate90)],
        "flips" => square => [.. new[] { square, Flip(square) }.SelectMany(image => Enumerable.Range(0, 4).Select(image.Rotate90))],
        _ => square => [square],
    };
    var (keepFirst, keepOthers) = (Share("keep-first"), Share("keep"));
    var sampling = new Random(1);
    var supports = squares.Select(square => (IReadOnlyList<Tensor[]>)[.. views(square).Select((view, v) => Sample(Encode(view), v == 0 ? keepFirst : keepOthers))]).ToArray();
    var encoded = pictures.Select(picture => Encode(picture.Square)).ToArray();
    var banks = shots.SelectMany(k => Enumerable.Range(0, DrawsOf(k)).Select(draw => drawn[draw].Take(k).Select(image => place[image]).ToHashSet())).ToArray();
    using var pairs = new PairDistances(encoded, supports, (_, s) => banks.Any(bank => bank.Contains(s)),
        options.TryGetValue("radius", out var radius) ? int.Parse(radius, CultureInfo.InvariantCulture) : null);
    var maker = new MapMaker(MapUpsampling.CellCentres, side);
    var masks = product.Test.Select(image => image.MaskPath is null && image.IsAnomalous == true ? null : files.ReadMask(image, side, ResizeMode.Stretch)).ToArray();
    var hasMasks = product.Test.Any(image => image.MaskPath is not null);
    foreach (var k in shots)
    {
        var (thirty, percent, pixel) = (0.0, 0.0, 0.0);
        for (var draw = 0; draw < DrawsOf(k); draw++)
        {
            var bank = drawn[draw].Take(k).Select(image => place[image]).ToArray();
            var labels = new List<bool>();
            var (a, b) = (new List<float>(), new List<float>());
            var (values, truth) = (new List<float>(), new List<bool>());
            for (var p = 0; p < pictures.Length; p++)
            {
                var kind = pictures[p].Kind;
                using var map = MapOf(p, bank);
                var tops = Write(name, k, draw, kind, p, map);
                labels.Add(kind == "bad");
                a.Add(tops[0]);
                b.Add(tops[2]);
                if (hasMasks && (kind == "good" || masks[p] is { Length: > 0 }))
                {
                    var data = map.data<float>().ToArray();
                    for (var i = 0; i < data.Length; i += 7)
                    {
                        values.Add(data[i]);
                        truth.Add(kind == "bad" && masks[p]![i]);
                    }
                }
            }

            thirty += RocMetrics.Auroc([.. a], [.. labels]) / DrawsOf(k);
            percent += RocMetrics.Auroc([.. b], [.. labels]) / DrawsOf(k);
            pixel += (hasMasks ? RocMetrics.Auroc(values.ToArray(), truth.ToArray()) : double.NaN) / DrawsOf(k);
        }

        if (!totals.TryGetValue(k, out var list))
        {
            totals[k] = list = [];
        }

        list.Add((thirty, percent, pixel));
        Console.WriteLine(FormattableString.Invariant($"{name} {k} shots: image {100 * thirty:0.00} / {100 * percent:0.00}, pixel {100 * pixel:0.00}"));
    }

    double Share(string option) => double.Parse(Value(option, "1"), CultureInfo.InvariantCulture);

    Tensor[] Sample(Tensor[] taps, double share) => share >= 1 ? taps : [.. taps.Select(tap =>
    {
        var chosen = Enumerable.Range(0, (int)tap.shape[0]).Where(_ => sampling.NextDouble() < share).Select(i => (long)i).ToArray();
        return tap.index_select(0, tensor(chosen)).DetachFromDisposeScope();
    })];

    Tensor MapOf(int picture, IReadOnlyList<int> bank)
    {
        using var inner = NewDisposeScope();
        return maker.Mean(pairs.OfPicture(picture, bank), grids).MoveToOuterDisposeScope().DetachFromDisposeScope();
    }

    Tensor[] Encode(PixelBuffer square)
    {
        using var inner = NewDisposeScope();
        using var features = tower.Encode(preprocessor.Normalize([square]));
        return [.. features.PatchTokens.Select(tokens => tokens[0].UnitLength(-1).contiguous().DetachFromDisposeScope())];
    }
}

float[] Write(string set, int k, int draw, string kind, int picture, Tensor map)
{
    using var inner = NewDisposeScope();
    var (sorted, _) = map.flatten().topk(1505);
    var data = sorted.data<float>().ToArray();
    float[] tops = [Mean(30), Mean(151), Mean(502), Mean(1505), data[0]];
    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{set},{k},{draw},{kind},{picture},{string.Join(',', tops.Select(value => value.ToString("0.000000", CultureInfo.InvariantCulture)))}"));
    return tops;

    float Mean(int count) => data.AsSpan(0, count).ToArray().Average();
}

static PixelBuffer Flip(PixelBuffer image)
{
    var rgb = new byte[image.Rgb.Length];
    for (var y = 0; y < image.Height; y++)
    {
        for (var x = 0; x < image.Width; x++)
        {
            image.Rgb.AsSpan(((y * image.Width) + image.Width - 1 - x) * 3, 3).CopyTo(rgb.AsSpan(((y * image.Width) + x) * 3));
        }
    }

    return new PixelBuffer(image.Width, image.Height, rgb);
}
