using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Two-dimensional convolutions of frozen weights over maps that stay channels last from one to the next. libtorch's bring each map from
/// planes to blocks of channels and back, and do at most half of what the processor can.
/// </summary>
/// <remarks>
/// A sum's terms are added in the order of the kernel's rows, columns and channels, whatever the sizes, the instructions and the number of
/// threads: results are the same bits.
/// </remarks>
internal static unsafe class PixelConvolution
{
    // Multiplications of what a thread takes at a time: some ten microseconds.
    private const long Share = 1 << 22;

    /// <summary>A layer's kernels as the inner loops read them. Owns them; reading is thread-safe.</summary>
    internal sealed class Kernels : IDisposable
    {
        private readonly Panels panels;
        private readonly Tensor bias;
        private readonly float* firstBias;

        /// <param name="weight">[O, I, h, w] of 32 bit in the processor's memory, O a multiple of 16.</param>
        /// <param name="bias">[O].</param>
        /// <param name="stride">Pixels from one output to the next.</param>
        /// <param name="shape">Of the tiles.</param>
        public Kernels(Tensor weight, Tensor bias, int stride, TileShape shape)
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            (Outputs, Inputs, Rows, Columns, Stride) =
                ((int)weight.shape[0], (int)weight.shape[1], (int)weight.shape[2], (int)weight.shape[3], stride);
            panels = Panels.OfTurned(weight.permute(0, 2, 3, 1).reshape(Outputs, Rows * Columns * Inputs), shape);
            this.bias = zeros(panels.Count * shape.Across).DetachFromDisposeScope();
            this.bias.narrow(0, 0, Outputs).copy_(bias);
            firstBias = TensorMemory.First(this.bias);
        }

        public int Outputs { get; }

        public int Inputs { get; }

        public int Rows { get; }

        public int Columns { get; }

        public int Stride { get; }

        public TileShape Shape => panels.Shape;

        /// <summary>Groups of outputs that are computed together.</summary>
        public int Groups => panels.Count;

        /// <summary>Multiplications of an output pixel's panel.</summary>
        public int Length => Rows * Columns * Inputs;

        /// <summary>The kernels' rows, columns and channels, output by output: [length, across] of each panel.</summary>
        public float* Panel(int panel) => panels.Panel(panel);

        public float* Bias(int panel) => firstBias + (panel * Shape.Across);

        public void Dispose()
        {
            panels.Dispose();
            bias.Dispose();
        }
    }

    /// <summary>Whether the inner loops take a layer of so many outputs.</summary>
    public static bool Takes(int outputs) => ProductTiles.WidestLanes > 0 && outputs % 16 == 0;

    /// <summary>
    /// The convolution with half a kernel of zeros around, what is added to it, and max(0, ·) of the sum. The caller owns it.
    /// </summary>
    /// <param name="input">Its border is at least half a kernel wide.</param>
    /// <param name="kernels">The layer.</param>
    /// <param name="added">Of the output's size; null: nothing.</param>
    /// <param name="isRectified">Whether negative sums become zero.</param>
    public static PixelMap Apply(PixelMap input, Kernels kernels, PixelMap? added, bool isRectified)
    {
        int Steps(int side, int kernel) => ((side + (2 * (kernel / 2)) - kernel) / kernels.Stride) + 1;
        var output = new PixelMap(
            input.Images, Steps(input.Height, kernels.Rows), Steps(input.Width, kernels.Columns), kernels.Outputs, border: 1);
        var layer = new Layer(input, kernels, added, isRectified, output);
        var panels = kernels.Groups;
        var ofLine = (long)output.Width * kernels.Length * kernels.Shape.Across;
        var lines = (int)Math.Clamp(Share / ofLine, 1, output.Height);
        var ofPanel = (output.Height + lines - 1) / lines;
        var parts = input.Images * panels * ofPanel;
        ThreadTeam.Share(parts, next =>
        {
            for (int part; (part = next()) >= 0;)
            {
                var first = part % ofPanel * lines;
                for (var y = first; y < Math.Min(first + lines, output.Height); y++)
                {
                    layer.Compute(part / (panels * ofPanel), part / ofPanel % panels, y);
                }
            }
        });
        return output;
    }

    /// <summary>The largest of 3 × 3 pixels, every second one, where none is negative. The caller owns it.</summary>
    public static PixelMap Pool(PixelMap input)
    {
        int Steps(int side) => ((side - 1) / 2) + 1;
        var output = new PixelMap(input.Images, Steps(input.Height), Steps(input.Width), input.Channels, border: 1);
        ThreadTeam.Share(input.Images * output.Height, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (next) =>
        {
            for (int part; (part = next()) >= 0;)
            {
                var (image, y) = (part / output.Height, part % output.Height);
                for (var x = 0; x < output.Width; x++)
                {
                    float* to = output.At(image, y, x), from = input.At(image, (2 * y) - 1, (2 * x) - 1);
                    for (var channel = 0; channel < input.Channels; channel += Vector256<float>.Count, from += Vector256<float>.Count)
                    {
                        var upper = Vector256.Max(Three(from, input), Three(from + input.Line, input));
                        Vector256.Max(upper, Three(from + (2 * input.Line), input)).Store(to + channel);
                    }
                }
            }
        });
        return output;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Three(float* from, PixelMap input)
    {
        var two = Vector256.Max(Vector256.Load(from), Vector256.Load(from + input.Channels));
        return Vector256.Max(two, Vector256.Load(from + (2 * input.Channels)));
    }

    private sealed class Layer(PixelMap input, Kernels kernels, PixelMap? added, bool isRectified, PixelMap output)
    {
        // What an output pixel sees of the input.
        private readonly RowWindow window
            = new(kernels.Stride * input.Channels, kernels.Rows, kernels.Columns * input.Channels, input.Line);

        /// <summary>A panel's outputs of a line.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Compute(int image, int panel, int y)
        {
            var (pixels, begin) = (kernels.Shape.Rows, panel * kernels.Shape.Across);
            var across = Math.Min(kernels.Shape.Across, kernels.Outputs - begin);
            var sums = stackalloc float[ProductTiles.Largest];
            for (var x = 0; x < output.Width; x += pixels)
            {
                // The last ones again rather than beyond the line, where there are as many.
                var first = Math.Max(0, Math.Min(x, output.Width - pixels));
                var seen = input.At(image, (y * kernels.Stride) - (kernels.Rows / 2), (first * kernels.Stride) - (kernels.Columns / 2));
                ProductTiles.Multiply(kernels.Shape, kernels.Panel(panel), seen, window, sums);
                for (var i = 0; i < Math.Min(pixels, output.Width - first); i++)
                {
                    var plus = added is null ? null : added.At(image, y, first + i) + begin;
                    Finish(sums + (i * kernels.Shape.Across), across, kernels.Bias(panel), plus, output.At(image, y, first + i) + begin);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Finish(float* sums, int across, float* bias, float* plus, float* to)
        {
            for (var lane = 0; lane < across; lane += Vector256<float>.Count)
            {
                var sum = Vector256.Load(sums + lane) + Vector256.Load(bias + lane);
                sum = plus is null ? sum : sum + Vector256.Load(plus + lane);
                (isRectified ? Vector256.Max(sum, Vector256<float>.Zero) : sum).Store(to + lane);
            }
        }
    }
}
