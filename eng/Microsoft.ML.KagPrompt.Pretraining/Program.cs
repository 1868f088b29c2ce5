using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Pretraining;
using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using static TorchSharp.torch;

const string Usage = """
    Makes the weights of the embedded backbones (DIARY.md). FILE and DIR of align, prompt, branches and carry may be either backbone's.
      render  --out DIR [--count 36] [--seed 1]           rendered pictures on one sheet, to look at
      distil  --teacher DIR --out FILE --minutes N [--rate 0.0015] [--pictures 64] [--seed 1] [--resume FILE] [--device auto]
      align   --trunk FILE --out DIR --minutes N [--text DIR] [--pictures 4000] [--seed 1] [--device auto]
      narrow  --in DIR --out DIR
      shape   --in DIR --out DIR [--power 0] [--means 1,1,1,1] [--floors 0,0,0,0] [--seed 1]
      metric  --in DIR --out DIR [--products 400] [--steps 300] [--share 0.5] [--shrink 1] [--seed 1] [--prompt FILE --carried FILE] [--device auto]
      carry   --from DIR --prompt FILE --to DIR --out FILE [--products 60] [--size 224] [--seed 1]      a start for another backbone's prompt
      prompt  --backbone DIR --out FILE --minutes N [--products 150] [--size 224] [--pairs 4] [--rate 0.001] [--dice 1] [--seed 1] [--resume FILE] [--keep NAMES] [--device auto]
      share   --prompt FILE --with FILE --out FILE        leaves out what the other prompt holds
      branches --backbone DIR --data DIR[,DIR] [--prompt FILE] [--shots 1,2,4] [--draws 5]
      places  --backbone DIR|NAME [--spots 40] [--seed 5]        where the cells of each tap look
      measure --data DIR[,DIR] [--trunk FILE | --teacher DIR]
    DEVICE: auto (a GPU where there is one and the program was built for it: -p:TorchRuntime=cuda-linux), cpu or cuda:N.
    """;

var options = new Dictionary<string, string>();
string Required(string name) => options.TryGetValue(name, out var text) ? text : throw new ArgumentException($"{args[0]} needs --{name}.");
T Value<T>(string name, string text) where T : IParsable<T>
    => T.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var value) ? value : throw new ArgumentException($"--{name}: expected a number, got {text}.");
int Number(string name, int otherwise) => options.TryGetValue(name, out var text) ? Value<int>(name, text) : otherwise;
double Fraction(string name, double otherwise) => options.TryGetValue(name, out var text) ? Value<double>(name, text) : otherwise;
IReadOnlyList<T> List<T>(string name, string otherwise) where T : IParsable<T> => [.. options.GetValueOrDefault(name, otherwise).Split(',').Select(text => Value<T>(name, text))];
TimeSpan Minutes(double otherwise) => TimeSpan.FromMinutes(Fraction("minutes", otherwise));
Device Device() => DeviceChoice.Resolve(options.GetValueOrDefault("device", "auto"));
try
{
    foreach (var pair in args.Skip(1).Chunk(2))
    {
        if (pair.Length < 2 || !pair[0].StartsWith("--", StringComparison.Ordinal))
        {
            throw new ArgumentException($"{pair[0]}: expected --NAME VALUE, got {string.Join(' ', pair)}.");
        }

        options[pair[0][2..]] = pair[1];
    }

    NativeHeap.Keep();
    random.manual_seed(Number("seed", 1));
    return Run();
}
catch (Exception problem) when (problem is ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException or KagPromptException)
{
    Console.Error.WriteLine(problem.Message);
    return 2;
}

int Run()
{
    switch (args.FirstOrDefault())
    {
        case "render":
            Render(Required("out"), Number("count", 36), Number("seed", 1));
            return 0;
        case "distil":
            Distil();
            return 0;
        case "align":
            TextAlignment.Run(Required("trunk"), Required("out"), options.GetValueOrDefault("text"), Minutes(10), Number("pictures", 4000), Number("seed", 1), Device(), Console.WriteLine);
            return 0;
        case "narrow":
            TextCone.Run(Required("in"), Required("out"), Console.WriteLine);
            return 0;
        case "shape":
            new TapShaping(Fraction("power", 0), List<double>("means", "1,1,1,1"), List<double>("floors", "0,0,0,0"), Number("seed", 1)).Run(Required("in"), Required("out"), Console.WriteLine);
            return 0;
        case "metric":
            new MetricLearning(Number("products", 400), Number("steps", 300), Fraction("share", 0.5), Fraction("shrink", 1), Number("seed", 1), Device(), Console.WriteLine)
                .Run(Required("in"), Required("out"), options.GetValueOrDefault("prompt"), options.GetValueOrDefault("carried"));
            return 0;
        case "prompt":
            new PromptTraining(BackboneFiles.Open(Required("backbone")), Minutes(20), Number("size", 224), Number("pairs", 4), Fraction("rate", 1e-3), Fraction("dice", 1), Number("seed", 1), Device(), Console.WriteLine,
                    options.GetValueOrDefault("keep")).Run(Required("out"), Number("products", 150), options.GetValueOrDefault("resume"));
            return 0;
        case "carry":
            new PromptMoving(BackboneFiles.Open(Required("from")), BackboneFiles.Open(Required("to")), Number("products", 60), Number("size", 224), Number("seed", 1), Console.WriteLine)
                .Run(Required("prompt"), Required("out"));
            return 0;
        case "share":
            PromptSharing.Run(Required("prompt"), Required("with"), Required("out"), Console.WriteLine);
            return 0;
        case "branches":
            var branches = new Branches(BackboneFiles.Open(Required("backbone")), options.GetValueOrDefault("prompt"), Console.WriteLine);
            foreach (var data in Required("data").Split(','))
            {
                branches.Measure(data, List<int>("shots", "1,2,4"), Number("draws", 5));
            }

            return 0;
        case "places":
            new TapPlaces(() => Directory.Exists(Required("backbone")) ? BackboneFiles.Open(Required("backbone")).Vision()
                : Microsoft.ML.KagPrompt.Backbones.BackboneSources.Open(Required("backbone"), []).LoadVision(ScalarType.Float32, roundToHalf: false), Number("spots", 40), Number("seed", 5), Console.WriteLine).Measure();
            return 0;
        case "measure":
            Measure();
            return 0;
        default:
            Console.WriteLine(Usage);
            return 2;
    }
}

void Render(string folder, int count, int seed)
{
    Directory.CreateDirectory(folder);
    var columns = (int)Math.Ceiling(Math.Sqrt(count));
    var rows = (count + columns - 1) / columns;
    var sheet = new byte[columns * rows * RenderPool.Side * RenderPool.Side * 3];
    var renderer = new SceneRenderer(RenderPool.Side);
    for (var i = 0; i < count; i++)
    {
        var scene = renderer.Render((seed * 1_000_003) + i, defective: (i & 3) == 0);
        for (var y = 0; y < RenderPool.Side; y++)
        {
            var row = ((((i / columns) * RenderPool.Side) + y) * columns * RenderPool.Side) + ((i % columns) * RenderPool.Side);
            scene.Rgb.AsSpan(y * RenderPool.Side * 3, RenderPool.Side * 3).CopyTo(sheet.AsSpan(row * 3));
        }
    }

    Photographs.Write(new PixelBuffer(columns * RenderPool.Side, rows * RenderPool.Side, sheet), Path.Combine(folder, "rendered.png"));
}

void Distil()
{
    var (device, output) = (Device(), Required("out"));
    using var teacher = new Teacher(Required("teacher"));
    teacher.MoveTo(device);
    using var pool = new RenderPool(3000, Number("seed", 1));
    var pictures = Number("pictures", 64);
    pool.WaitFor(pictures);
    var config = new CompactVisionConfig();
    using var resumed = options.TryGetValue("resume", out var file) ? ReadTrunk(file, config) : null;
    using var weights = new Distillation(config, teacher, Fraction("rate", 1.5e-3), pictures, Number("seed", 1), device).Train(pool, Minutes(30), Console.WriteLine,
        snapshot => WriteTrunk(snapshot, output), resumed);
    WriteTrunk(weights, output);
}

static void WriteTrunk(WeightSet weights, string path)
{
    using (var file = File.Create(path + ".new"))
    {
        SafetensorsWriter.Write(file, weights.ByName, new Dictionary<string, string> { ["vision"] = new CompactVisionConfig().ToJson() });
    }

    File.Move(path + ".new", path, overwrite: true);
}

static WeightSet ReadTrunk(string path, CompactVisionConfig config)
{
    // A trunk of its own, or the one inside a finished backbone.
    using var source = SafetensorsFile.Open(path);
    return WeightSet.Read(CompactVisionTower.Shapes(config), source.Entries.ContainsKey("vision.stem.weight") ? new PrefixedTensors(source, "vision.") : source);
}

void Measure()
{
    Measurement measurement;
    if (options.TryGetValue("teacher", out var folder))
    {
        var teacher = new Teacher(folder);
        measurement = new Measurement(images =>
            [.. teacher.Forward(images).Select(map => CompactVisionTower.ToGrid(map, 16).flatten(2).transpose(1, 2).contiguous())]);
    }
    else if (options.TryGetValue("trunk", out var trunk))
    {
        var tower = new CompactVisionTower(new CompactVisionConfig(), ReadTrunk(trunk, new CompactVisionConfig()));
        measurement = new Measurement(images => tower.Encode(images).PatchTokens);
    }
    else
    {
        var vision = CompactBackbone.Embedded.LoadVision(TorchSharp.torch.ScalarType.Float32, roundToHalf: false);
        measurement = new Measurement(images => vision.Encode(images).PatchTokens);
    }

    foreach (var data in Required("data").Split(','))
    {
        foreach (var shots in (int[])[1, 4])
        {
            var (image, pixel) = measurement.Measure(data, shots);
            Console.WriteLine(FormattableString.Invariant($"{Path.GetFileName(data)} {shots}-shot: image {image:0.0}, pixel {pixel:0.0}"));
        }
    }
}
