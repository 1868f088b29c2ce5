using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Single bits of a saved model's payload, one at a time; the zip's own checksums are right again, so only ours can tell.</summary>
internal static class Flips
{
    private static readonly string[] Entries = ["KagPrompt.safetensors", "KagPrompt.options.json"];

    public static void Run(Totals totals, int seed, long count)
    {
        var ml = new MLContext(seed);
        var whole = Current(ml);
        var lengths = Entries.Select(entry => ModelZip.Entry(whole, entry).Length).ToArray();
        var random = new Random(seed);
        for (var i = 0L; i < count; i++)
        {
            // Every tenth in the options, which are small.
            var entry = i % 10 == 0 ? 1 : 0;
            var (place, bit) = (random.Next(lengths[entry]), random.Next(8));
            var damaged = ModelZip.With(whole, Entries[entry], bytes =>
            {
                bytes[place] ^= (byte)(1 << bit);
                return bytes;
            });
            if (!IsRefused(ml, damaged))
            {
                totals.Add(flipsAccepted: 1);
                totals.Say($"bit {bit} of byte {place} of {Entries[entry]} was taken");
            }
        }

        totals.Add(flips: count);
    }

    /// <summary>Today's format, of the small model that 0.1.0 wrote.</summary>
    public static byte[] Current(MLContext ml)
    {
        var model = ml.Model.Load(ModelZip.Version010, out var schema);
        using var owned = model as IDisposable;
        using var zip = new MemoryStream();
        ml.Model.Save(model, schema, zip);
        return zip.ToArray();
    }

    private static bool IsRefused(MLContext ml, byte[] zip)
    {
        try
        {
            (ml.Model.Load(new MemoryStream(zip), out _) as IDisposable)?.Dispose();
            return false;
        }
        catch (Exception fault)
        {
            for (Exception? cause = fault; cause is not null; cause = cause.InnerException)
            {
                if (cause is KagPromptException)
                {
                    return true;
                }
            }

            throw;
        }
    }
}
