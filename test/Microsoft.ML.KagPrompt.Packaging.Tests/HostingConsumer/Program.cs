// What a user of the hosting package for small computers writes: a host, an exported file, a photograph. Then what was loaded for it.
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Hosting;

var builder = Host.CreateEmptyApplicationBuilder(null);
builder.Services.AddKagPrompt(options => options.Products["part"] = new() { Path = args[0] }).AddLoader(new OnnxModelLoader());
using var host = builder.Build();
await host.StartAsync();
var verdict = await host.Services.GetRequiredService<IInspector>().InspectAsync(File.ReadAllBytes(args[1]), "part");
await host.StopAsync();
Console.WriteLine(verdict.Score.ToString("R", CultureInfo.InvariantCulture));
using var process = Process.GetCurrentProcess();
foreach (ProcessModule module in process.Modules)
{
    Console.WriteLine(Path.GetFileName(module.FileName));
}
