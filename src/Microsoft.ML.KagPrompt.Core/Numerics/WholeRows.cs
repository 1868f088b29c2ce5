using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Rows of about unit length as 16-bit whole numbers, and how much of each the rounding lost. Owns its memory; reading is thread-safe.
/// </summary>
internal sealed unsafe class WholeRows : IDisposable
{
    /// <summary>What stands for 1.</summary>
    public const int One = short.MaxValue;

    // Numbers that are rounded at a time; rows end with zeros up to a multiple of it.
    private const int AtOnce = 16;

    // More than any tile's rows but one: tiles are read whole.
    private const int Beyond = 13;

    // A little more than 1: with it no sum of products reaches 2³¹, by Cauchy and Schwarz.
    private const float LongestTaken = 1.1f;

    // The lengths are added up in 32 bit: so wide they are wrong by less than what is added to them.
    private const int Widest = 4096;
    private const float Above = 1.0001f;

    // A rounding in 32 bit, 2⁻²⁴, or a little more.
    private const double HalfUnit = 6.0e-8;

    private readonly torch.Tensor memory;
    private readonly short* first;
    private readonly float[] lengths, lost;

    private WholeRows(int count, int width)
    {
        (Count, Width, Padded) = (count, width, (width + AtOnce - 1) / AtOnce * AtOnce);
        (lengths, lost) = (new float[count], new float[count]);
        memory = torch.empty((long)(count + Beyond) * Padded, torch.int16).DetachFromDisposeScope();
        first = (short*)TensorMemory.First(memory);
    }

    public int Count { get; }

    /// <summary>Of a row.</summary>
    public int Width { get; }

    /// <summary>From a row to the next. Between them are zeros.</summary>
    public int Padded { get; }

    /// <summary>The longest row's length, or a little more.</summary>
    public float Longest { get; private set; }

    /// <summary>The most that rounding lost of a row, as a length, or a little more.</summary>
    public float MostLost { get; private set; }

    /// <summary>A matrix's rows: null where one of them is not finite or clearly longer than 1. The caller owns them.</summary>
    /// <param name="matrix">[n, D], of 32 bit, in the processor's memory.</param>
    public static WholeRows? Of(torch.Tensor matrix)
    {
        using var scope = torch.NewDisposeScope();
        var known = matrix.detach().contiguous();
        var (count, width) = ((int)matrix.shape[0], (int)matrix.shape[1]);
        if (count == 0 || width is 0 or > Widest)
        {
            return null;
        }

        var rows = new WholeRows(count, width);
        if (rows.Take(TensorMemory.First(known)))
        {
            return rows;
        }

        rows.Dispose();
        return null;
    }

    /// <summary>A row's numbers. Behind the last row it stands again, as often as a tile may read it.</summary>
    public short* Row(int row) => first + ((nint)row * Padded);

    /// <summary>
    /// How far apart a row's products with two others may be while its products in 32 bit, of which the terms are added one after the
    /// other, stand the other way round. Either is wrong by what rounding lost of one row times the other, and by D roundings of a sum.
    /// </summary>
    public int Window(int row, WholeRows others)
    {
        double length = lengths[row], own = lost[row];
        var wrong = (own * others.Longest) + ((length + own) * others.MostLost) + (Width * HalfUnit * length * others.Longest);
        return (int)Math.Min(int.MaxValue, Math.Ceiling(2 * wrong * One * One));
    }

    public void Dispose() => memory.Dispose();

    private bool Take(float* values)
    {
        var padded = stackalloc float[Padded];
        new Span<float>(padded, Padded).Clear();
        for (var row = 0; row < Count; row++, values += Width)
        {
            if (Padded > Width)
            {
                new ReadOnlySpan<float>(values, Width).CopyTo(new(padded, Width));
            }

            Round(Padded > Width ? padded : values, row);
        }

        // Neither is larger than NaN.
        (Longest, MostLost) = (lengths.Aggregate(MathF.Max), lost.Aggregate(MathF.Max));
        var last = new ReadOnlySpan<short>(Row(Count - 1), Padded);
        for (var row = Count; row < Count + Beyond; row++)
        {
            last.CopyTo(new(Row(row), Padded));
        }

        return Longest <= LongestTaken;
    }

    /// <summary>A row; what lies behind it up to a whole number of vectors is zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Round(float* from, int row)
    {
        var to = Row(row);
        var (one, squares, left) = (Vector256.Create((float)One), Vector256<float>.Zero, Vector256<float>.Zero);
        for (var i = 0; i < Padded; i += AtOnce)
        {
            var (low, high) = (Vector256.Load(from + i), Vector256.Load(from + i + Vector256<float>.Count));
            // What becomes of NaN does not matter: the length is NaN too.
            var wholeLow = Vector256.Round(Vector256.MinNative(Vector256.MaxNative(low * one, -one), one));
            var wholeHigh = Vector256.Round(Vector256.MinNative(Vector256.MaxNative(high * one, -one), one));
            var leftLow = Vector256.FusedMultiplyAdd(low, one, -wholeLow);
            var leftHigh = Vector256.FusedMultiplyAdd(high, one, -wholeHigh);
            squares = Vector256.FusedMultiplyAdd(high, high, Vector256.FusedMultiplyAdd(low, low, squares));
            left = Vector256.FusedMultiplyAdd(leftHigh, leftHigh, Vector256.FusedMultiplyAdd(leftLow, leftLow, left));
            Vector256.Narrow(Vector256.ConvertToInt32Native(wholeLow), Vector256.ConvertToInt32Native(wholeHigh)).Store(to + i);
        }

        (lengths[row], lost[row]) = (Above * MathF.Sqrt(Vector256.Sum(squares)), Above / One * MathF.Sqrt(Vector256.Sum(left)));
    }
}
