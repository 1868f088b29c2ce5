namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>What storing a picture as JPEG does to it: blocks of 8 × 8 in the frequency domain, coarsely rounded, colour more coarsely than light.</summary>
internal static class Compression
{
    private const int Block = 8;

    private static readonly float[] Cosines = [.. Enumerable.Range(0, Block * Block)
        .Select(i => (float)(Math.Cos((((2 * (i % Block)) + 1) * (i / Block) * Math.PI) / (2 * Block)) * Math.Sqrt((i / Block == 0 ? 1.0 : 2.0) / Block)))];

    /// <summary>Rounds in place; the coarseness is that of the finest step, in 0..1 of full scale.</summary>
    public static void Apply(Canvas canvas, float coarseness)
    {
        var (block, turned) = (new float[Block * Block], new float[Block * Block]);
        ToLightAndColour(canvas.Rgb);
        for (var y = 0; y + Block <= canvas.Side; y += Block)
        {
            for (var x = 0; x + Block <= canvas.Side; x += Block)
            {
                for (var c = 0; c < 3; c++)
                {
                    for (var i = 0; i < block.Length; i++)
                    {
                        block[i] = canvas.Rgb[((((y + (i / Block)) * canvas.Side) + x + (i % Block)) * 3) + c];
                    }

                    Turn(block, turned, forward: true);
                    for (var i = 0; i < block.Length; i++)
                    {
                        var step = coarseness * (1 + (i / Block) + (i % Block)) * (c == 0 ? 1 : 2);
                        block[i] = MathF.Round(block[i] / step) * step;
                    }

                    Turn(block, turned, forward: false);
                    for (var i = 0; i < block.Length; i++)
                    {
                        canvas.Rgb[((((y + (i / Block)) * canvas.Side) + x + (i % Block)) * 3) + c] = block[i];
                    }
                }
            }
        }

        FromLightAndColour(canvas.Rgb);
    }

    /// <summary>The cosine transform of rows, then of columns, or back.</summary>
    private static void Turn(float[] block, float[] spare, bool forward)
    {
        for (var pass = 0; pass < 2; pass++)
        {
            for (var line = 0; line < Block; line++)
            {
                for (var to = 0; to < Block; to++)
                {
                    var sum = 0f;
                    for (var from = 0; from < Block; from++)
                    {
                        sum += block[(line * Block) + from] * Cosines[forward ? (to * Block) + from : (from * Block) + to];
                    }

                    // Written transposed, so that the second pass runs over columns.
                    spare[(to * Block) + line] = sum;
                }
            }

            spare.CopyTo(block, 0);
        }
    }

    private static void ToLightAndColour(float[] rgb)
    {
        for (var p = 0; p < rgb.Length; p += 3)
        {
            var light = (0.299f * rgb[p]) + (0.587f * rgb[p + 1]) + (0.114f * rgb[p + 2]);
            (rgb[p], rgb[p + 1], rgb[p + 2]) = (light, rgb[p + 2] - light, rgb[p] - light);
        }
    }

    private static void FromLightAndColour(float[] rgb)
    {
        for (var p = 0; p < rgb.Length; p += 3)
        {
            var (light, blue, red) = (rgb[p], rgb[p + 1], rgb[p + 2]);
            (rgb[p], rgb[p + 1], rgb[p + 2]) = (light + red, light - ((0.299f * red) + (0.114f * blue)) / 0.587f, light + blue);
        }
    }
}
