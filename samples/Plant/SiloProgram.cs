using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt;

namespace Plant;

/// <summary>One machine of the plant; here one process.</summary>
internal static class SiloProgram
{
    public const string Ready = "ready";

    /// <param name="args">Number, folder, port of the first silo, port of the first gateway, PostgreSQL or "-".</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var (number, folder, postgres) = (Number(args[0]), args[1], args[4] == "-" ? null : args[4]);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Error);
        builder.Services.AddKagPrompt(options =>
            {
                options.Products[Product.Name] = new() { Path = Path.Combine(folder, "washer.onnx") };
                // A batch makes a GPU faster; on a processor it takes memory and lets the first wait for the last.
                options.MaxBatchSize = 1;
            })
            .AddLoader(new OnnxModelLoader(new() { Threads = 1 }));
        builder.Services.AddKagPromptResults(options =>
        {
            options.Folder = Path.Combine(folder, $"silo{number}");
            // One database for all: PostgreSQL, or for trying a file that the processes of this machine share.
            (options.PostgresConnectionString, options.SqlitePath) = (postgres, postgres is null ? Path.Combine(folder, "results.db") : null);
        });
        builder.AddKagPromptPlantSilo(options =>
        {
            options.PostgresConnectionString = postgres;
            options.SiloName = $"silo-{number}";
            (options.SiloPort, options.GatewayPort) = (Number(args[2]) + number, Number(args[3]) + number);
            (options.PrimarySiloPort, options.Address) = (Number(args[2]), IPAddress.Loopback);
            options.PictureFolder = Path.Combine(folder, "pictures");
        });
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine(Ready);
        // The client's end is this one's, too.
        await Console.In.ReadToEndAsync();
        await host.StopAsync();
        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
