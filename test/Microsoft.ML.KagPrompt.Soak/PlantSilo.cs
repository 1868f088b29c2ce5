using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>A silo in a process of its own, to be killed.</summary>
internal static class PlantSilo
{
    public const string Ready = "ready", Product = "part", Model = "part.onnx", Pictures = "pictures";

    /// <param name="args">Number, folder, port, gateway's port, PostgreSQL.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var (number, folder) = (args[0], args[1]);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKagPrompt(options => options.Products[Product] = new() { Path = Path.Combine(folder, Model) })
            .AddLoader(new OnnxModelLoader(new() { Threads = 1 }));
        builder.Services.AddKagPromptResults(options
            => (options.Folder, options.PostgresConnectionString) = (Path.Combine(folder, $"silo{number}"), args[4]));
        builder.AddKagPromptPlantSilo(options =>
        {
            (options.PostgresConnectionString, options.SiloName) = (args[4], $"silo-{number}");
            (options.SiloPort, options.GatewayPort) = (Port(args[2]), Port(args[3]));
            (options.Address, options.PictureFolder) = (IPAddress.Loopback, Path.Combine(folder, Pictures));
        });
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine(Ready);
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    private static int Port(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
