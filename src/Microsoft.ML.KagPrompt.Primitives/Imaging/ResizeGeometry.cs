namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>Where the S × S square lies in a resized image: the image becomes Width × Height, the square begins at (Left, Top).</summary>
internal readonly record struct ResizeGeometry(int Width, int Height, int Left, int Top, int Side)
{
    public static ResizeGeometry Create(int width, int height, int side, ResizeMode mode)
    {
        if (mode == ResizeMode.Stretch)
        {
            return new(side, side, 0, 0, side);
        }

        // As torchvision: the long side truncated, the crop's offset rounded half to even.
        var (resizedWidth, resizedHeight) = width <= height
            ? (side, (int)((long)side * height / width))
            : ((int)((long)side * width / height), side);
        var (left, top) = ((int)Math.Round((resizedWidth - side) / 2.0), (int)Math.Round((resizedHeight - side) / 2.0));
        return new(resizedWidth, resizedHeight, left, top, side);
    }

    /// <summary>
    /// A map of the square at the image's own size: bilinear between pixel centres, NaN outside the square and where the nearest
    /// of the map's pixels is NaN.
    /// </summary>
    public float[] MapToImage(ReadOnlySpan<float> map, int width, int height)
    {
        var (columns, rows) = (Positions(width, Width, Left), Positions(height, Height, Top));
        var result = new float[checked(width * height)];
        for (var y = 0; y < height; y++)
        {
            var (top, bottom, down) = rows[y];
            for (var x = 0; x < width; x++)
            {
                var (left, right, along) = columns[x];
                if (top < 0 || left < 0)
                {
                    result[(y * width) + x] = float.NaN;
                    continue;
                }

                var upper = map[(top * Side) + left] + (along * (map[(top * Side) + right] - map[(top * Side) + left]));
                var lower = map[(bottom * Side) + left] + (along * (map[(bottom * Side) + right] - map[(bottom * Side) + left]));
                var value = upper + (down * (lower - upper));
                result[(y * width) + x] = float.IsNaN(value) ? AtBorder(map, rows[y], columns[x]) : value;
            }
        }

        return result;
    }

    /// <summary>A mask of the image (width · height bytes) where the square is, nearest pixel as Pillow takes it.</summary>
    public byte[] MaskToSquare(ReadOnlySpan<byte> mask, int width, int height)
    {
        var result = new byte[Side * Side];
        for (var y = 0; y < Side; y++)
        {
            var row = Math.Min((int)((Top + y + 0.5) * height / Height), height - 1);
            for (var x = 0; x < Side; x++)
            {
                var column = Math.Min((int)((Left + x + 0.5) * width / Width), width - 1);
                result[(y * Side) + x] = mask[(row * width) + column];
            }
        }

        return result;
    }

    /// <summary>
    /// Where one of four pixels was not inspected: the same with the nearest of them in its place, which decides whether this one was.
    /// </summary>
    private float AtBorder(ReadOnlySpan<float> map, (int First, int Second, float Along) row, (int First, int Second, float Along) column)
    {
        var nearest = map[((row.Along < 0.5f ? row.First : row.Second) * Side) + (column.Along < 0.5f ? column.First : column.Second)];
        var (upperLeft, upperRight) = (Known(map[(row.First * Side) + column.First]), Known(map[(row.First * Side) + column.Second]));
        var (lowerLeft, lowerRight) = (Known(map[(row.Second * Side) + column.First]), Known(map[(row.Second * Side) + column.Second]));
        var (upper, lower) = (upperLeft + (column.Along * (upperRight - upperLeft)), lowerLeft + (column.Along * (lowerRight - lowerLeft)));
        return upper + (row.Along * (lower - upper));

        float Known(float value) => float.IsNaN(value) ? nearest : value;
    }

    /// <summary>
    /// For each pixel of the image along one side: the two map pixels it lies between and how far along; −1 outside the square.
    /// </summary>
    private (int First, int Second, float Along)[] Positions(int size, int resized, int offset)
    {
        var positions = new (int, int, float)[size];
        for (var i = 0; i < size; i++)
        {
            var position = (((i + 0.5) * resized) / size) - offset;
            if (position < 0 || position > Side)
            {
                positions[i] = (-1, -1, 0);
                continue;
            }

            var inside = Math.Clamp(position - 0.5, 0, Side - 1);
            var first = (int)inside;
            positions[i] = (first, Math.Min(first + 1, Side - 1), (float)(inside - first));
        }

        return positions;
    }
}
