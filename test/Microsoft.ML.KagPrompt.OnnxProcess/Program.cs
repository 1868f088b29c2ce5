// OnnxProcess FILE IMAGE...   bits of every score and map, from the inspector or (of a zip) from ML.NET's rows; then the loaded libraries
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

if (args[0].EndsWith(".zip", StringComparison.Ordinal))
{
    var ml = new MLContext();
    using var model = ml.Model.Load(args[0], out _) as IDisposable;
    var rows = ml.Data.LoadFromEnumerable(args[1..].Select(path => new Row { ImagePath = path }));
    var scored = ((ITransformer)model!).Transform(rows);
    foreach (var (score, map) in scored.GetColumn<float>("Score").Zip(scored.GetColumn<float[]>("AnomalyMap")))
    {
        Print(score, map);
    }
}
else
{
    using var inspector = OnnxInspector.Load(args[0], new OnnxInspectorOptions { Threads = 1 });
    foreach (var path in args[1..])
    {
        var verdict = inspector.Inspect(path);
        Print(verdict.Score, verdict.Map);
    }
}

using var process = Process.GetCurrentProcess();
foreach (var module in process.Modules.Cast<ProcessModule>().Select(module => Path.GetFileName(module.FileName)).Distinct())
{
    Console.WriteLine($"loaded {module}");
}

static void Print(float score, float[] map)
    => Console.WriteLine($"{BitConverter.SingleToUInt32Bits(score):x8} {Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(map)))}");

internal sealed class Row
{
    public string ImagePath { get; set; } = "";
}
