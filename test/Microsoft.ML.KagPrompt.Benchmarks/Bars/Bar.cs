namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>A measured figure and what it must reach.</summary>
/// <param name="Value">Measured; NaN: it could not be, as said on the error stream.</param>
/// <param name="Limit">What it must reach; NaN: it is told for comparison alone.</param>
/// <param name="Unit">Of both.</param>
/// <param name="AtLeast">Whether more is better.</param>
internal sealed record Bar(double Value, double Limit, string Unit, bool AtLeast = false)
{
    public bool? Holds => double.IsNaN(Value) || double.IsNaN(Limit) ? null : AtLeast ? Value >= Limit : Value <= Limit;
}
