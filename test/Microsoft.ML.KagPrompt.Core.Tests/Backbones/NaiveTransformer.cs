using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>A vector map y = W x + b in float64, rows of W first.</summary>
internal sealed record NaiveLinear(double[] Weight, double[]? Bias)
{
    public double[] Apply(double[] x)
    {
        var rows = Weight.Length / x.Length;
        var y = new double[rows];
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < x.Length; c++)
            {
                y[r] += Weight[(r * x.Length) + c] * x[c];
            }

            y[r] += Bias?[r] ?? 0;
        }

        return y;
    }
}

internal sealed record NaiveNorm(double[] Weight, double[] Bias, double Epsilon)
{
    public double[] Apply(double[] x)
    {
        var mean = x.Average();
        var deviation = Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + Epsilon);
        return [.. x.Select((value, i) => ((value - mean) / deviation * Weight[i]) + Bias[i])];
    }
}

/// <summary>One pre-norm transformer block, token by token.</summary>
internal sealed record NaiveBlock(NaiveNorm Norm1, NaiveLinear Query, NaiveLinear Key, NaiveLinear Value, NaiveLinear Out, NaiveNorm Norm2, NaiveLinear Fc1, NaiveLinear Fc2)
{
    public required int Heads { get; init; }

    /// <summary>"gelu", "quick" or "swiglu".</summary>
    public required string Activation { get; init; }

    public bool Causal { get; init; }

    public double[]? Scale1 { get; init; }

    public double[]? Scale2 { get; init; }

    public double[][] Apply(double[][] tokens)
    {
        var normed = tokens.Select(Norm1.Apply).ToArray();
        var (queries, keys, values) = (normed.Select(Query.Apply).ToArray(), normed.Select(Key.Apply).ToArray(), normed.Select(Value.Apply).ToArray());
        var mid = tokens.Select((token, t) => Add(token, Out.Apply(Attend(queries[t], keys, values, Causal ? t + 1 : tokens.Length)), Scale1)).ToArray();
        return [.. mid.Select(token => Add(token, Fc2.Apply(Activate(Fc1.Apply(Norm2.Apply(token)))), Scale2))];
    }

    private double[] Attend(double[] query, double[][] keys, double[][] values, int seen)
    {
        var width = query.Length / Heads;
        var result = new double[query.Length];
        for (var head = 0; head < Heads; head++)
        {
            var from = head * width;
            var logits = Enumerable.Range(0, seen).Select(k => Enumerable.Range(from, width).Sum(c => query[c] * keys[k][c]) / Math.Sqrt(width)).ToArray();
            var largest = logits.Max();
            var weights = logits.Select(logit => Math.Exp(logit - largest)).ToArray();
            for (var c = from; c < from + width; c++)
            {
                result[c] = Enumerable.Range(0, seen).Sum(k => weights[k] * values[k][c]) / weights.Sum();
            }
        }

        return result;
    }

    private double[] Activate(double[] x) => Activation switch
    {
        "swiglu" => [.. Enumerable.Range(0, x.Length / 2).Select(i => x[i] / (1 + Math.Exp(-x[i])) * x[i + (x.Length / 2)])],
        "quick" => [.. x.Select(value => value / (1 + Math.Exp(-1.702 * value)))],
        _ => [.. x.Select(value => 0.5 * value * (1 + Erf(value / Math.Sqrt(2))))],
    };

    private static double[] Add(double[] a, double[] b, double[]? scale) => [.. a.Select((value, i) => value + (b[i] * (scale?[i] ?? 1)))];

    /// <summary>The error function by its series, exact to 1e-15 where |x| &lt; 5.</summary>
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 5)
        {
            return Math.Sign(x);
        }

        var (term, sum) = (x, x);
        for (var n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum) && n < 400; n++)
        {
            term *= -x * x / n;
            sum += term / ((2 * n) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }
}

/// <summary>A vision transformer over one image, written for tests alone.</summary>
internal sealed record NaiveVision(double[] Kernel, double[]? KernelBias, double[] ClassToken, double[] Positions, NaiveBlock[] Blocks, NaiveNorm Norm)
{
    public required int Patch { get; init; }

    public double[][] Registers { get; init; } = [];

    public NaiveNorm? NormBefore { get; init; }

    public NaiveLinear? Head { get; init; }

    /// <summary>Where the positions' old grid is read for cell i of a new grid of n cells, and the cubic's a.</summary>
    public Func<int, int, int, (double At, double A, double Stretch)> Resampling { get; init; } = (i, fresh, old) => (((i + 0.5) * old / fresh) - 0.5, -0.75, 1);

    /// <summary>[3, S, S] → every block's patch tokens and the image embedding at unit length.</summary>
    public (double[][][] Blocks, double[] Embedding) Encode(double[] image, int size)
    {
        var (side, width) = (size / Patch, ClassToken.Length);
        var positions = PositionsFor(side);
        var tokens = new List<double[]> { ClassToken.Select((value, c) => value + positions[0][c]).ToArray() };
        tokens.AddRange(Registers);
        for (var cell = 0; cell < side * side; cell++)
        {
            var token = new double[width];
            for (var d = 0; d < width; d++)
            {
                token[d] = (KernelBias?[d] ?? 0) + positions[1 + cell][d];
                for (var k = 0; k < 3 * Patch * Patch; k++)
                {
                    var (channel, y, x) = (k / (Patch * Patch), k / Patch % Patch, k % Patch);
                    token[d] += Kernel[(d * 3 * Patch * Patch) + k] * image[(channel * size * size) + ((((cell / side) * Patch) + y) * size) + ((cell % side) * Patch) + x];
                }
            }

            tokens.Add(token);
        }

        var state = NormBefore is null ? [.. tokens] : tokens.Select(NormBefore.Apply).ToArray();
        var taps = new List<double[][]>();
        foreach (var block in Blocks)
        {
            state = block.Apply(state);
            taps.Add(state[(1 + Registers.Length)..]);
        }

        var last = Norm.Apply(state[0]);
        return ([.. taps], Unit(Head?.Apply(last) ?? last));
    }

    /// <summary>A resampling that widens the kernel where the new grid is the coarser one.</summary>
    public static (double At, double A, double Stretch) Antialiased(int i, int fresh, int old)
        => (((i + 0.5) * old / fresh) - 0.5, -0.5, Math.Max(1.0, (double)old / fresh));

    /// <summary>A resampling by a factor that takes the new grid for a tenth of a cell larger, as DINOv2's.</summary>
    public static (double At, double A, double Stretch) Offset(int i, int fresh, int old)
        => (((i + 0.5) / ((fresh + 0.1) / old)) - 0.5, -0.75, 1);

    public static double[] Unit(double[] x)
    {
        var length = Math.Sqrt(x.Sum(value => value * value));
        return [.. x.Select(value => value / length)];
    }

    private double[][] PositionsFor(int side)
    {
        var width = ClassToken.Length;
        var rows = Enumerable.Range(0, Positions.Length / width).Select(row => Positions[(row * width)..((row + 1) * width)]).ToArray();
        var old = (int)Math.Round(Math.Sqrt(rows.Length - 1));
        if (old == side)
        {
            return rows;
        }

        var taps = Enumerable.Range(0, side).Select(i => Taps(i, side, old)).ToArray();
        return [rows[0], .. Enumerable.Range(0, side * side).Select(cell => Enumerable.Range(0, width).Select(c =>
            taps[cell / side].Sum(v => taps[cell % side].Sum(h => v.Weight * h.Weight * rows[1 + (v.Index * old) + h.Index][c]))).ToArray())];
    }

    /// <summary>The old cells one new cell is made of. A stretch above 1 widens the kernel (antialiasing), then only cells inside count; else the border repeats.</summary>
    private (int Index, double Weight)[] Taps(int i, int side, int old)
    {
        var (at, a, stretch) = Resampling(i, side, old);
        var antialias = a == -0.5;
        var reach = 2 * stretch;
        var cells = Enumerable.Range((int)Math.Floor(at - reach) - 1, (int)(2 * reach) + 4).Select(cell => (Cell: cell, Weight: Cubic((cell - at) / stretch, a)))
            .Where(cell => cell.Weight != 0 && (!antialias || (cell.Cell >= 0 && cell.Cell < old))).ToArray();
        var total = antialias ? cells.Sum(cell => cell.Weight) : 1;
        return [.. cells.Select(cell => (Math.Clamp(cell.Cell, 0, old - 1), cell.Weight / total))];
    }

    private static double Cubic(double x, double a)
    {
        x = Math.Abs(x);
        return x <= 1 ? ((((a + 2) * x) - (a + 3)) * x * x) + 1 : x < 2 ? (((((x - 5) * x) + 8) * x) - 4) * a : 0;
    }
}
