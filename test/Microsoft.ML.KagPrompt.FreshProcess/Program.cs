// FreshProcess bits ZIP IMAGE...          every score's and map's bits
// FreshProcess memory ZIP ROWS IMAGE...   resident bytes, and those of them no file backs, after the first tenth of the rows and after all
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;

var ml = new MLContext();
using var model = ml.Model.Load(args[1], out _) as IDisposable;
if (args[0] == "memory")
{
    var (count, images) = (int.Parse(args[2]), args[3..]);
    var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Row { ImagePath = images[i % images.Length] }));
    var seen = 0;
    foreach (var verdict in ml.Data.CreateEnumerable<Verdict>(((ITransformer)model!).Transform(rows), reuseRowObject: true))
    {
        if (++seen == count / 10 || seen == count)
        {
            var (all, own) = Resident();
            Console.WriteLine($"{all} {own}");
        }
    }

    return;
}

var scored = ((ITransformer)model!).Transform(ml.Data.LoadFromEnumerable(args[2..].Select(path => new Row { ImagePath = path })));
foreach (var (score, map) in scored.GetColumn<float>("Score").Zip(scored.GetColumn<float[]>("AnomalyMap")))
{
    Console.WriteLine($"{BitConverter.SingleToUInt32Bits(score):x8} {Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(map)))}");
}

static (long All, long Own) Resident()
{
    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
    GC.WaitForPendingFinalizers();
    if (OperatingSystem.IsLinux())
    {
        // The native heap keeps freed pages for later, as the managed one does.
        malloc_trim(0);
    }

    using var process = Process.GetCurrentProcess();
    // Pages of files come and go as the kernel likes; what a process can leak is the rest.
    var own = OperatingSystem.IsLinux() ? File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2] : null;
    return (process.WorkingSet64, own is null ? process.WorkingSet64 : long.Parse(own, CultureInfo.InvariantCulture) << 10);
}

[DllImport("libc")]
static extern int malloc_trim(nint keep);

internal sealed class Row
{
    public string ImagePath { get; set; } = "";
}

internal sealed class Verdict
{
    public float Score { get; set; }

    public float[] AnomalyMap { get; set; } = [];
}
