namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>CIE L*a*b* (white point D65), in which equal distances look about equally far apart.</summary>
internal readonly record struct LabColor(double L, double A, double B)
{
    private const double Epsilon = 216.0 / 24389;
    private const double Kappa = 24389.0 / 27;
    private const double WhiteX = 0.95047;
    private const double WhiteZ = 1.08883;

    public static LabColor OfRgb(byte r, byte g, byte b)
    {
        var (red, green, blue) = (Linear(r / 255.0), Linear(g / 255.0), Linear(b / 255.0));
        var x = Root(((0.4124564 * red) + (0.3575761 * green) + (0.1804375 * blue)) / WhiteX);
        var y = Root((0.2126729 * red) + (0.7151522 * green) + (0.0721750 * blue));
        var z = Root(((0.0193339 * red) + (0.1191920 * green) + (0.9503041 * blue)) / WhiteZ);
        return new((116 * y) - 16, 500 * (x - y), 200 * (y - z));
    }

    /// <summary>The nearest 8-bit sRGB colour; what lies outside is clamped.</summary>
    public (byte R, byte G, byte B) ToRgb()
    {
        var middle = (L + 16) / 116;
        var (x, y, z) = (WhiteX * Cube(middle + (A / 500)), Cube(middle), WhiteZ * Cube(middle - (B / 200)));
        return (
            Byte((3.2404542 * x) - (1.5371385 * y) - (0.4985314 * z)),
            Byte((-0.9692660 * x) + (1.8760108 * y) + (0.0415560 * z)),
            Byte((0.0556434 * x) - (0.2040259 * y) + (1.0572252 * z)));
    }

    /// <summary>ΔE*ab (1976).</summary>
    public double DistanceTo(LabColor other)
        => Math.Sqrt(((L - other.L) * (L - other.L)) + ((A - other.A) * (A - other.A)) + ((B - other.B) * (B - other.B)));

    public LabColor Towards(LabColor other, double share)
        => new(L + (share * (other.L - L)), A + (share * (other.A - A)), B + (share * (other.B - B)));

    private static double Linear(double value) => value > 0.04045 ? Math.Pow((value + 0.055) / 1.055, 2.4) : value / 12.92;

    private static byte Byte(double linear)
    {
        var encoded = linear > 0.0031308 ? (1.055 * Math.Pow(linear, 1 / 2.4)) - 0.055 : 12.92 * linear;
        return (byte)Math.Round(255 * Math.Clamp(encoded, 0, 1));
    }

    private static double Root(double value) => value > Epsilon ? Math.Cbrt(value) : ((Kappa * value) + 16) / 116;

    private static double Cube(double root) => root * root * root > Epsilon ? root * root * root : ((116 * root) - 16) / Kappa;
}
