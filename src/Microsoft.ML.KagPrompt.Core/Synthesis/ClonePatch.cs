namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>The rectangle a seamless clone is solved on: one channel's pixels at a time go in, the blended levels come out.</summary>
internal sealed class ClonePatch(int width, int height, bool[] keepSource)
{
    private readonly int innerWidth = width - 2;
    private readonly int innerHeight = height - 2;
    private readonly double[] unknowns = new double[3 * (width - 2) * (height - 2)];
    private readonly int[] across = new int[width * height];
    private readonly int[] down = new int[width * height];

    /// <summary>One channel of the source, zero outside its mask.</summary>
    public int[] Source { get; } = new int[width * height];

    /// <summary>The same channel of the destination.</summary>
    public int[] Destination { get; } = new int[width * height];

    /// <summary>
    /// Turns the channel in <see cref="Source"/> and <see cref="Destination"/> into the right-hand side of its Poisson equation.
    /// </summary>
    public void AddChannel(int channel, bool mixed)
    {
        for (var y = 0; y < height - 1; y++)
        {
            for (var x = 0; x < width - 1; x++)
            {
                var i = (y * width) + x;
                (across[i], down[i]) = Guidance(i, mixed);
            }
        }

        for (var y = 1; y <= innerHeight; y++)
        {
            for (var x = 1; x <= innerWidth; x++)
            {
                var i = (y * width) + x;
                var border = (x == 1 ? Destination[i - 1] : 0) + (x == innerWidth ? Destination[i + 1] : 0)
                    + (y == 1 ? Destination[i - width] : 0) + (y == innerHeight ? Destination[i + width] : 0);
                unknowns[Index(channel, x, y)] = across[i] - across[i - 1] + down[i] - down[i - width] - border;
            }
        }
    }

    /// <summary>Solves for all three channels.</summary>
    public void Solve() => PoissonSolver.Solve(unknowns, innerWidth, innerHeight);

    /// <summary>The blended level of an inner pixel; OpenCV cuts the fraction off instead of rounding.</summary>
    public byte Level(int channel, int x, int y) => (byte)Math.Clamp(unknowns[Index(channel, x, y)], 0, 255);

    /// <summary>Forward differences of the source where it is kept, of the destination elsewhere.</summary>
    private (int Across, int Down) Guidance(int i, bool mixed)
    {
        var destination = (Across: Destination[i + 1] - Destination[i], Down: Destination[i + width] - Destination[i]);
        if (!keepSource[i])
        {
            return destination;
        }

        var source = (Across: Source[i + 1] - Source[i], Down: Source[i + width] - Source[i]);
        // OpenCV's measure of strength: the difference of the two components.
        return mixed && Math.Abs(source.Across - source.Down) <= Math.Abs(destination.Across - destination.Down) ? destination : source;
    }

    private int Index(int channel, int x, int y) => (((channel * innerHeight) + y - 1) * innerWidth) + x - 1;
}
