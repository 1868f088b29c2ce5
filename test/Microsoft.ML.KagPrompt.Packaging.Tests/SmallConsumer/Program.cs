// What a user of the package for small computers writes: a file, a photograph, a score. Then what was loaded for it.
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.KagPrompt;

using var inspector = OnnxInspector.Load(args[0]);
Console.WriteLine(inspector.Inspect(args[1]).Score.ToString("R", CultureInfo.InvariantCulture));
using var process = Process.GetCurrentProcess();
foreach (ProcessModule module in process.Modules)
{
    Console.WriteLine(Path.GetFileName(module.FileName));
}
