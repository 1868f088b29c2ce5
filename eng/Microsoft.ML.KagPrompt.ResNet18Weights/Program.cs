// Takes the stem and stages of the ResNet18 in ML.NET's package out into a safetensors file, batch normalisation folded in, and holds the
// whole network so made against ONNX Runtime's result on the package's own file. README.md says how to run it.
using System.Reflection;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.ResNet18Weights;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

const int Side = 224;
string[] Stages = ["ReLU283_Output_0", "ReLU315_Output_0", "ReLU347_Output_0"];
// Puts the folded stem's values where 16-bit floats are exact to 2^-11: any value does that keeps them between 0.001 and 100.
const float Deviation = 0.25f;

if (args is not [var destination, var golden])
{
    Console.WriteLine("""
        Usage: WEIGHTS GOLDEN
          WEIGHTS  src/Microsoft.ML.KagPrompt.Core/Backbones/Residual/resnet18.safetensors
          GOLDEN   test/Fixtures/resnet18_stages.json, what ONNX Runtime says of one picture
        """);
    return 2;
}

var package = typeof(OnnxGraph).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "ModelPackage").Value!;
var models = Path.Combine(package, "tools", "DnnImageModels");
var network = Path.Combine(models, "ResNet18Onnx", "ResNet18.onnx");
var mean = OnnxGraph.Read(Path.Combine(models, "ResNetPrepOnnx", "ResNetPreprocess.onnx")).Initializers["MeanImage"].Data;

// The mean picture's channels, which are blue, green, red.
float ChannelMean(int channel) => mean.AsSpan(channel * Side * Side, Side * Side).ToArray().Average();
var whole = new ResidualNetworkConfig
{
    StageWidths = [64, 128, 256, 512],
    StageBlocks = [2, 2, 2, 3],
    Taps = [1, 2, 3, 4],
    Mean = [ChannelMean(2) / 255, ChannelMean(1) / 255, ChannelMean(0) / 255],
    Std = [Deviation, Deviation, Deviation],
};
using var scope = NewDisposeScope();
var folded = Folding.Fold(OnnxGraph.Read(network), whole, Deviation);
Compare(folded);
// Where the cells look: painted spots on many grounds (Pretraining, verb "places", prints such figures), and then as far as spots painted all over plain
// grounds, borders included, still lay off in the finished map (a test holds that): 1 pixel down, 0.15 right.
var shipped = whole with { StageWidths = [64, 128, 256], StageBlocks = [2, 2, 2], Taps = [1, 2, 3], LooksDown = [2.5, 5.35, 10.4], LooksRight = [1.65, 4.5, 9.55] };
var kept = ResidualNetwork.Shapes(shipped).Keys.ToDictionary(name => name, name => folded[name].to(ScalarType.Float16));
foreach (var (name, half) in kept)
{
    FiniteValues.Check(half, folded[name], name, network);
}

using (var stream = File.Create(destination))
{
    SafetensorsWriter.Write(stream, kept, new Dictionary<string, string> { ["vision"] = shipped.ToJson() });
}

File.WriteAllText(golden, JsonSerializer.Serialize(StageMeans()));
Console.WriteLine($"{kept.Values.Sum(tensor => tensor.numel())} values, {new FileInfo(destination).Length} bytes: {destination}");
return 0;

// The package subtracts a mean picture; the tower a mean colour. Here the picture's own difference is given to both.
void Compare(IReadOnlyDictionary<string, TorchSharp.torch.Tensor> weights)
{
    using var random = new Generator(1, CPU);
    var pixels = rand([1, 3, Side, Side], generator: random).Times(255);
    var reversed = pixels.flip(1).Plus(tensor(mean, [1, 3, Side, Side]).Times(-1));
    using var session = new InferenceSession(network);
    var input = new Microsoft.ML.OnnxRuntime.Tensors.DenseTensor<float>(reversed.contiguous().data<float>().ToArray(), [1, 3, Side, Side]);
    using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(session.InputMetadata.Keys.Single(), input)]);
    var expected = outputs.First().AsEnumerable<float>().ToArray();
    using var tower = new ResidualNetwork(whole, new WeightSet(weights.ToDictionary(entry => entry.Key, entry => entry.Value.clone().DetachFromDisposeScope())));
    var given = reversed.flip(1).Times(1 / (255 * Deviation));
    using var nothing = no_grad();
    var got = tower.Stages(given)[^1].mean([2, 3]).data<float>().ToArray();
    var (worst, largest) = (expected.Zip(got, (a, b) => Math.Abs(a - b)).Max(), expected.Max());
    Console.WriteLine(FormattableString.Invariant($"ONNX Runtime on the package's file: {expected.Length} pooled values up to {largest:0.000}; largest difference {worst:0.0000000}"));
    if (expected.Length != got.Length || !(worst < 1e-4 * largest))
    {
        throw new InvalidDataException("The folded network is not the package's.");
    }
}

// The means over the maps of the first three stages, of a picture that a formula gives: green and blue bands and a red ramp.
float[][] StageMeans()
{
    var picture = new float[3 * Side * Side];
    for (var i = 0; i < Side * Side; i++)
    {
        var (y, x) = (i / Side, i % Side);
        // Blue, green, red, less the mean colour, as the tower takes it.
        picture[i] = (x / 8 % 2 * 200) + 20 - ChannelMean(0);
        picture[(Side * Side) + i] = (y / 5 % 2 * 150) + 50 - ChannelMean(1);
        picture[(2 * Side * Side) + i] = x + y - (x + y >= 256 ? 256 : 0) - ChannelMean(2);
    }

    using var session = new InferenceSession(OnnxGraph.WithOutputs(network, Stages));
    var input = new Microsoft.ML.OnnxRuntime.Tensors.DenseTensor<float>(picture, [1, 3, Side, Side]);
    using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(session.InputMetadata.Keys.Single(), input)], Stages);
    return [.. outputs.Select(output => output.AsTensor<float>()).Select(map => map.Chunk(map.Dimensions[2] * map.Dimensions[3]).Select(plane => plane.Average()).ToArray())];
}
