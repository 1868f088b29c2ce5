using System.Security.Cryptography;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

// FreshProcess ZIP IMAGE...
var ml = new MLContext();
using var model = ml.Model.Load(args[0], out _) as IDisposable;
var rows = ml.Data.LoadFromEnumerable(args[1..].Select(path => new Row { ImagePath = path }));
var scored = ((ITransformer)model!).Transform(rows);
foreach (var (score, map) in scored.GetColumn<float>("Score").Zip(scored.GetColumn<float[]>("AnomalyMap")))
{
    Console.WriteLine($"{BitConverter.SingleToUInt32Bits(score):x8} {Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(map)))}");
}

internal sealed class Row
{
    public string ImagePath { get; set; } = "";
}
