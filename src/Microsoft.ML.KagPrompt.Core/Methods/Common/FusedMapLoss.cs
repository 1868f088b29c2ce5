using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// Focal and dice loss of maps at the image's size, with their gradients back to the logits of the cells that the maps are made of, in two
/// passes over each map: what <see cref="MapLosses"/> has libtorch compute step by step reads and writes every map some sixty times.
/// </summary>
/// <param name="grid">Where the cells lie.</param>
/// <param name="imageSize">S.</param>
/// <param name="form">How maps come of logits, and which dice counts.</param>
/// <remarks>The same bits whatever the number of threads.</remarks>
internal sealed unsafe class FusedMapLoss(PatchGrid grid, int imageSize, MapLossForm form)
{
    private const int Lanes = Exponentials.Lanes;

    private readonly int width = (imageSize + Lanes - 1) / Lanes * Lanes;
    private readonly (int Cell, float Part)[] down = PatchGrid.Places(grid.Rows, grid.FirstRow, grid.RowStep, imageSize);
    private readonly (int Cell, float Part)[] across = PatchGrid.Places(grid.Columns, grid.FirstColumn, grid.ColumnStep, imageSize);

    /// <summary>Whether it takes these logits: of 32 bit, in the memory of a processor that has the instructions.</summary>
    public static bool Takes(Tensor logits) => ProductTiles.Take(logits);

    /// <summary>
    /// The losses of some images' maps, each a sum over the M maps of an image and a mean over images, and the gradient of
    /// <paramref name="focalWeight"/> · focal + <paramref name="diceWeight"/> · dice.
    /// </summary>
    /// <param name="logits">[M, B, L].</param>
    /// <param name="masks">G: [B, S, S], 0 to 1.</param>
    /// <param name="focalWeight">λ1.</param>
    /// <param name="diceWeight">λ2.</param>
    /// <returns>Tensors of the caller's scope.</returns>
    public FusedLosses Of(Tensor logits, Tensor masks, float focalWeight, float diceWeight)
    {
        using var scope = NewDisposeScope();
        var (maps, images, cells) = ((int)logits.shape[0], (int)logits.shape[1], (int)logits.shape[2]);
        var (from, targets) = (logits.detach().contiguous(), masks.contiguous());
        var gradient = empty(maps, images, cells);
        var parts = new Part[images];
        float* given = TensorMemory.First(from), target = TensorMemory.First(targets), back = TensorMemory.First(gradient);
        ThreadTeam.Share(images, next =>
        {
            using var room = new Room(grid, imageSize, width);
            for (int image; (image = next()) >= 0;)
            {
                room.Begin(target + ((nint)image * imageSize * imageSize));
                for (var map = 0; map < maps; map++)
                {
                    var at = (((nint)map * images) + image) * cells;
                    Add(room, given + at, back + at, images, (focalWeight, diceWeight), ref parts[image]);
                }

                parts[image].Agreement = room.Agreement(maps);
            }
        });
        // In their order: the same bits whoever was first.
        var (focal, dice, agreement) = (0.0, 0.0, 0.0);
        foreach (var part in parts)
        {
            (focal, dice, agreement) = (focal + part.Focal, dice + part.Dice, agreement + part.Agreement);
        }

        return new(tensor((float)focal).MoveToOuterDisposeScope(), tensor((float)dice).MoveToOuterDisposeScope(),
            gradient.MoveToOuterDisposeScope(), (float)(agreement / images));
    }

    private void Add(Room room, float* logits, float* gradient, int images, (float Focal, float Dice) weights, ref Part part)
    {
        SetLines(logits, room);
        var pixels = (double)images * imageSize * imageSize;
        var sums = Forward(room, weights.Focal / pixels);
        part.Focal -= sums.Focal / pixels;
        // 1 − O / U, with O = 2 Σ p g + 1 and U = Σ p + Σ g + 1, of the map and the mask, and of what both leave. A pixel of the map
        // changes O / U by 2 g / U − O / U².
        var area = (double)imageSize * imageSize;
        var (over, under) = ((2 * sums.Both) + 1, sums.Map + room.OfMask + 1);
        var (restOver, restUnder) = ((2 * (area - sums.Map - room.OfMask + sums.Both)) + 1, (2 * area) - sums.Map - room.OfMask + 1);
        part.Dice += ((form.DiceOfDefects * (1 - (over / under))) + (form.DiceOfRest * (1 - (restOver / restUnder)))) / images;
        var (ofDefects, ofRest) = (weights.Dice * form.DiceOfDefects / images, weights.Dice * form.DiceOfRest / images);
        Backward(
            room,
            (float)((ofDefects * over / (under * under)) + (ofRest * ((2 / restUnder) - (restOver / (restUnder * restUnder))))),
            (float)((-2 * ofDefects / under) - (2 * ofRest / restUnder)));
        SetGradient(logits, gradient, room);
    }

    /// <summary>Of each row of cells, what its columns give at the image's.</summary>
    private void SetLines(float* logits, Room room)
    {
        var cells = room.Cells;
        new ReadOnlySpan<float>(logits, grid.Rows * grid.Columns).CopyTo(new(cells, grid.Rows * grid.Columns));
        if (form.IsSigmoidOfCells)
        {
            for (var i = 0; i < grid.Rows * grid.Columns; i += Lanes)
            {
                Exponentials.Sigmoid(Vector512.Load(cells + i)).Store(cells + i);
            }
        }

        for (var row = 0; row < grid.Rows; row++, cells += grid.Columns)
        {
            var line = room.Lines.Row(row);
            for (var x = 0; x < imageSize; x++)
            {
                var (cell, part) = across[x];
                line[x] = part == 0 ? cells[cell] : (cells[cell] * (1 - part)) + (cells[cell + 1] * part);
            }

            // What came back to the map before.
            new Span<float>(line + imageSize, width - imageSize).Clear();
        }
    }

    /// <summary>The map, Σ (1−p_t)² ln p_t and what it gives each pixel, and the dice's sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private (double Focal, double Map, double Both) Forward(Room room, double focalScale)
    {
        var (least, most) = (Vector512.Create((float)MapLosses.Smooth), Vector512.Create((float)(1 - MapLosses.Smooth)));
        var (one, two, scale) = (Vector512<float>.One, Vector512.Create(2f), Vector512.Create((float)focalScale));
        var (focal, ofMap, both) = (0.0, 0.0, 0.0);
        for (var y = 0; y < imageSize; y++)
        {
            var (cell, below) = down[y];
            float* upper = room.Lines.Row(cell), lower = room.Lines.Row(Math.Min(cell + 1, grid.Rows - 1));
            float* mask = room.Mask.Row(y), map = room.Map.Row(y), mean = room.Mean.Row(y), slope = room.Slope.Row(y), inside = room.Inside;
            var (near, far) = (Vector512.Create(1 - below), Vector512.Create(below));
            var (focals, maps, boths) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
            for (var x = 0; x < width; x += Lanes)
            {
                var p = (Vector512.Load(upper + x) * near) + (Vector512.Load(lower + x) * far);
                p = (form.IsSigmoidOfCells ? p : Exponentials.Sigmoid(p)) * Vector512.Load(inside + x);
                p.Store(map + x);
                (Vector512.Load(mean + x) + p).Store(mean + x);
                var g = Vector512.Load(mask + x);
                maps += p;
                boths += p * g;
                var onDefect = Vector512.Min(Vector512.Max(g, least), most);
                var onRest = Vector512.Min(Vector512.Max(one - g, least), most);
                var likelihood = (onRest * (one - p)) + (onDefect * p) + least;
                var (missing, logarithm) = (one - likelihood, Vector512.Log(likelihood));
                focals += missing * missing * logarithm * Vector512.Load(inside + x);
                var change = (two * missing * logarithm) - (missing * missing / likelihood);
                (scale * change * (onDefect - onRest)).Store(slope + x);
            }

            focal += Exponentials.Sum(focals);
            ofMap += Exponentials.Sum(maps);
            both += Exponentials.Sum(boths);
        }

        return (focal, ofMap, both);
    }

    /// <summary>What each pixel gives the rows of cells above and below it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Backward(Room room, float everywhere, float onMask)
    {
        for (var row = 0; row < grid.Rows; row++)
        {
            new Span<float>(room.Lines.Row(row), width).Clear();
        }

        var (constant, ofMask) = (Vector512.Create(everywhere), Vector512.Create(onMask));
        for (var y = 0; y < imageSize; y++)
        {
            var (cell, below) = down[y];
            float* upper = room.Lines.Row(cell), lower = room.Lines.Row(Math.Min(cell + 1, grid.Rows - 1));
            float* mask = room.Mask.Row(y), map = room.Map.Row(y), slope = room.Slope.Row(y);
            var (near, far) = (Vector512.Create(1 - below), Vector512.Create(below));
            for (var x = 0; x < width; x += Lanes)
            {
                var change = Vector512.Load(slope + x) + constant + (ofMask * Vector512.Load(mask + x));
                if (!form.IsSigmoidOfCells)
                {
                    var p = Vector512.Load(map + x);
                    change *= p * (Vector512<float>.One - p);
                }

                (Vector512.Load(upper + x) + (near * change)).Store(upper + x);
                (Vector512.Load(lower + x) + (far * change)).Store(lower + x);
            }
        }
    }

    private void SetGradient(float* logits, float* gradient, Room room)
    {
        var cells = room.Cells;
        new Span<float>(gradient, grid.Rows * grid.Columns).Clear();
        for (var row = 0; row < grid.Rows; row++)
        {
            float* line = room.Lines.Row(row), to = gradient + (row * grid.Columns);
            for (var x = 0; x < imageSize; x++)
            {
                var (cell, part) = across[x];
                to[cell] += line[x] * (1 - part);
                if (part != 0)
                {
                    to[cell + 1] += line[x] * part;
                }
            }
        }

        for (var i = 0; form.IsSigmoidOfCells && i < grid.Rows * grid.Columns; i++)
        {
            gradient[i] *= cells[i] * (1 - cells[i]);
        }
    }

    /// <summary>What an image adds.</summary>
    private struct Part
    {
        public double Focal, Dice, Agreement;
    }

    /// <summary>A thread's room for a map, its mask, and what goes back.</summary>
    private sealed class Room : IDisposable
    {
        private readonly int side;
        private readonly RowBuffer cells, inside;

        public Room(PatchGrid grid, int side, int width)
        {
            this.side = side;
            cells = new(1, (grid.Rows * grid.Columns) + Lanes);
            new Span<float>(Cells, cells.Pitch).Clear();
            inside = new(1, width);
            (Lines, Mask, Map) = (new(grid.Rows, width), new(side, width), new(side, width));
            (Mean, Slope) = (new(side, width), new(side, width));
            for (var x = 0; x < width; x++)
            {
                Inside[x] = x < side ? 1 : 0;
            }

            for (var row = 0; row < grid.Rows; row++)
            {
                new Span<float>(Lines.Row(row), width).Clear();
            }
        }

        /// <summary>What the maps are made between.</summary>
        public float* Cells => cells.Row(0);

        /// <summary>1 for the columns that the image has, 0 beyond.</summary>
        public float* Inside => inside.Row(0);

        /// <summary>Rows of cells at the image's columns; then what comes back to them.</summary>
        public RowBuffer Lines { get; }

        public RowBuffer Mask { get; }

        public RowBuffer Map { get; }

        /// <summary>The sum of the image's maps so far.</summary>
        public RowBuffer Mean { get; }

        /// <summary>Of the focal loss, by the map's pixels.</summary>
        public RowBuffer Slope { get; }

        /// <summary>Σ g.</summary>
        public double OfMask { get; private set; }

        public void Begin(float* mask)
        {
            OfMask = 0;
            for (var y = 0; y < side; y++)
            {
                var row = new Span<float>(Mask.Row(y), Mask.Pitch);
                new ReadOnlySpan<float>(mask + ((nint)y * side), side).CopyTo(row);
                row[side..].Clear();
                new Span<float>(Mean.Row(y), Mean.Pitch).Clear();
                var sum = Vector512<float>.Zero;
                for (var x = 0; x < row.Length; x += Lanes)
                {
                    sum += Vector512.Load(Mask.Row(y) + x);
                }

                OfMask += Exponentials.Sum(sum);
            }
        }

        /// <summary>The share of pixels whose mean of all maps lies on the mask's side of one half.</summary>
        public double Agreement(int maps)
        {
            var agreed = 0L;
            for (var y = 0; y < side; y++)
            {
                float* mean = Mean.Row(y), mask = Mask.Row(y);
                for (var x = 0; x < side; x++)
                {
                    agreed += mean[x] > 0.5f * maps == mask[x] > 0.5f ? 1 : 0;
                }
            }

            return (double)agreed / ((long)side * side);
        }

        public void Dispose()
        {
            foreach (var part in (RowBuffer[])[cells, inside, Lines, Mask, Map, Mean, Slope])
            {
                part.Dispose();
            }
        }
    }
}

/// <summary>How maps come of the cells' logits, and which dice counts.</summary>
/// <param name="IsSigmoidOfCells">Whether cells become probabilities before they are brought to the image's size, or pixels after.</param>
/// <param name="DiceOfDefects">The weight of dice(M, G).</param>
/// <param name="DiceOfRest">The weight of dice(1 − M, 1 − G).</param>
internal readonly record struct MapLossForm(bool IsSigmoidOfCells, float DiceOfDefects, float DiceOfRest);

/// <summary>Losses of maps, and where they lead.</summary>
/// <param name="Focal">Summed over an image's maps.</param>
/// <param name="Dice">Summed over an image's maps, weighed by the form.</param>
/// <param name="Gradient">By the cells' logits: [M, B, L].</param>
/// <param name="Agreement">The share of pixels where the maps' mean and the mask lie on one side of one half.</param>
internal sealed record FusedLosses(Tensor Focal, Tensor Dice, Tensor Gradient, float Agreement);
