using Microsoft.ML.KagPrompt.Orleans;

namespace Plant;

/// <summary>The figures, to be read.</summary>
internal static class Table
{
    /// <param name="calls">Every picture.</param>
    /// <param name="plant">Asked how the lines are.</param>
    /// <param name="lines">Their names.</param>
    /// <param name="elapsed">How long it took.</param>
    /// <param name="processor">Time of the processor, of silos and client.</param>
    /// <param name="megabytes">Memory of each silo.</param>
    public static async Task PrintAsync(Call[] calls, IPlantClient plant, string[] lines, TimeSpan elapsed,
        TimeSpan processor, double[] megabytes)
    {
        var answered = calls.Where(call => call.Fault is null).ToArray();
        Console.WriteLine();
        Console.WriteLine("silo      answered  share   p50 ms   p99 ms");
        foreach (var silo in answered.GroupBy(call => call.Silo).OrderBy(silo => silo.Key, StringComparer.Ordinal))
        {
            Call[] its = [.. silo];
            var share = its.Length / (double)answered.Length;
            Say($"{silo.Key,-9} {its.Length,8} {share,6:P1} {Quantile(its, 0.5),8:0.0} {Quantile(its, 0.99),8:0.0}");
        }

        Console.WriteLine();
        Console.WriteLine("line      answered  refused  failed   p50 ms   p99 ms  in the database  drift  lives on");
        foreach (var line in lines)
        {
            var (mine, status) = (calls.Where(call => call.Line == line).ToArray(), await plant.GetLineAsync(line, recount: true));
            Call[] good = [.. mine.Where(call => call.Fault is null)];
            var refused = mine.Count(call => call.Fault == "refused");
            var (failed, drift) = (mine.Length - good.Length - refused, status.Drift is { HasDrifted: true } ? "yes" : "no");
            var (half, most) = (Quantile(good, 0.5), Quantile(good, 0.99));
            Say($"{line,-9} {good.Length,8} {refused,8} {failed,7} {half,8:0.0} {most,8:0.0} {status.Answered,16} {drift,6}  {status.Silo}");
        }

        foreach (var fault in calls.Where(call => call.Fault is not (null or "refused")).GroupBy(call => call.Fault))
        {
            Say($"failed, {fault.Key}: {fault.Count()}");
        }

        Console.WriteLine();
        var (rate, cost) = (answered.Length / elapsed.TotalSeconds, processor.TotalMilliseconds / Math.Max(1, answered.Length));
        Say($"{answered.Length} answered in {elapsed.TotalSeconds:0.0} s: {rate:0.0} pictures/s; {cost:0.0} ms of processor a picture,");
        Say($"client included; {Environment.ProcessorCount} cores; {megabytes.Max():0} MB the largest silo.");
    }

    private static double Quantile(Call[] calls, double share)
    {
        double[] sorted = [.. calls.Select(call => call.Time.TotalMilliseconds).Order()];
        return sorted.Length == 0 ? double.NaN : sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
    }

    private static void Say(FormattableString text) => Console.WriteLine(FormattableString.Invariant(text));
}
