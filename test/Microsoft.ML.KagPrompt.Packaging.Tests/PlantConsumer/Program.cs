// A plant of one machine: a silo with an exported file, a client, a line, a photograph. Then what was loaded for it.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Orleans;
using Microsoft.ML.KagPrompt.Results;

var folder = Directory.CreateTempSubdirectory("plant-consumer-").FullName;
var (silos, gateways) = (FreePort(), FreePort());
var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders();
builder.Services.AddKagPrompt(options => options.Products["part"] = new() { Path = args[0] }).AddLoader(new OnnxModelLoader());
builder.Services.AddKagPromptResults(options => options.Folder = Path.Combine(folder, "results"));
builder.AddKagPromptPlantSilo(options =>
{
    (options.SiloPort, options.PrimarySiloPort, options.GatewayPort) = (silos, silos, gateways);
    (options.Address, options.PictureFolder) = (IPAddress.Loopback, Path.Combine(folder, "pictures"));
});
using var silo = builder.Build();
await silo.StartAsync();

var application = Host.CreateApplicationBuilder();
application.Logging.ClearProviders();
application.AddKagPromptPlantClient(options => (options.GatewayPorts, options.PictureFolder) = ([gateways], Path.Combine(folder, "pictures")));
using (var client = application.Build())
{
    await client.StartAsync();
    var plant = client.Services.GetRequiredService<IPlantClient>();
    await plant.SetUpLineAsync("line-1", new LineSettings { Product = "part" });
    var picture = await client.Services.GetRequiredService<IPictureStore>().AddAsync(File.ReadAllBytes(args[1]));
    var answer = await plant.InspectAsync("line-1", picture, InspectionRecord.NewId());
    Console.WriteLine(answer.Score.ToString("R", CultureInfo.InvariantCulture));
    await client.StopAsync();
}

using var process = Process.GetCurrentProcess();
foreach (ProcessModule module in process.Modules)
{
    Console.WriteLine(Path.GetFileName(module.FileName));
}

await silo.StopAsync();
Directory.Delete(folder, recursive: true);

static int FreePort()
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    return ((IPEndPoint)listener.LocalEndpoint).Port;
}
