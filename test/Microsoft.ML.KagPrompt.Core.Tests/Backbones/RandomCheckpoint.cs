using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>Random weights of a small backbone, named as its writer names them, for a checkpoint and for plain loops alike.</summary>
internal sealed class RandomCheckpoint : IDisposable
{
    public const int Width = 24;
    public const int Heads = 3;
    public const int Depth = 4;
    public const int Mlp = 40;
    public const int Joint = 16;
    public const int Patch = 4;
    public const int Side = 5;
    public const int TextWidth = 18;
    public const int TextDepth = 2;
    public const int Vocabulary = 50;
    public const int Context = 9;

    public Dictionary<string, torch.Tensor> Tensors { get; } = [];

    public torch.Generator Random { get; } = new(2024);

    public static double[] Transposed(double[] matrix, int rows, int columns)
        => [.. Enumerable.Range(0, rows * columns).Select(k => matrix[((k % rows) * columns) + (k / rows)])];

    /// <summary>Adds a random tensor to the checkpoint and gives its values.</summary>
    public double[] New(string name, params long[] shape)
    {
        var tensor = torch.randn(shape, generator: Random) * (shape.Length >= 2 ? 1 / Math.Sqrt(shape[^1]) : 0.4);
        Tensors.Add(name, tensor);
        return [.. tensor.data<float>().Select(value => (double)value)];
    }

    public NaiveNorm Norm(string name, int width, double epsilon)
        => new(New($"{name}.weight", width), New($"{name}.bias", width), epsilon);

    public NaiveLinear Linear(string name, int rows, int columns)
        => new(New($"{name}.weight", rows, columns), New($"{name}.bias", rows));

    /// <summary>A joint projection of query, key and value, taken apart.</summary>
    public (NaiveLinear Query, NaiveLinear Key, NaiveLinear Value) Joined(string weightName, string biasName, int width)
    {
        var (weight, bias) = (New(weightName, 3 * width, width), New(biasName, 3 * width));
        NaiveLinear Third(int i)
            => new(weight[(i * width * width)..((i + 1) * width * width)], bias[(i * width)..((i + 1) * width)]);
        return (Third(0), Third(1), Third(2));
    }

    /// <summary>What was added so far, as a file that is open.</summary>
    public SafetensorsFile Open()
    {
        var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, Tensors, new Dictionary<string, string>());
        stream.Position = 0;
        return SafetensorsFile.Read(stream, "checkpoint");
    }

    public void Dispose() => Random.Dispose();
}
