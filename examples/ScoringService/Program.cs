// Models behind HTTP: POST /score?product=NAME with an image as the body; GET /healthz; GET /metrics. Bound to this machine alone.
//   ScoringService --model part.zip | --registry FOLDER [--port 5080] [--readers 4] [--queue 64] [--max-bytes 20000000]
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Hosting;
using ScoringService;

var builder = WebApplication.CreateSlimBuilder(args);
var settings = builder.Configuration;
var (port, maxBytes) = (settings.GetValue("port", 5080), settings.GetValue("max-bytes", 20_000_000));
var (model, registry) = (settings["model"], settings["registry"]);
if (model is null == registry is null)
{
    Console.Error.WriteLine("Usage: ScoringService --model MODEL.zip (or .onnx) | --registry FOLDER [--port 5080; 0: any free one] "
        + "[--readers 4] [--queue 64] [--max-bytes 20000000] (QuickStart writes a model to artifacts/demo/part.zip)");
    return 2;
}

try
{
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.Listen(IPAddress.Loopback, port);
        kestrel.Limits.MaxRequestBodySize = maxBytes;
    });

    IInspectionModelLoader zips = new KagPromptModelLoader(), exported = new OnnxModelLoader();
    // Each class that the file knows is a product, under its name as far as one may be called so.
    var products = model is null ? [] : (model.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) ? exported : zips).ClassNames(model);
    var hosting = builder.Services.AddKagPrompt(options =>
    {
        options.MaxConcurrentDecodes = settings.GetValue("readers", 4);
        options.QueueCapacity = settings.GetValue("queue", 64);
        options.MaxImageBytes = maxBytes;
        foreach (var name in products)
        {
            options.Products.Add(Regex.Replace(name, "[^A-Za-z0-9_-]", "-"), new() { Path = model!, ClassName = name });
        }
    }).AddLoader(zips).AddLoader(exported);
    if (registry is not null)
    {
        hosting.AddRegistry(registry);
    }

    builder.Services.AddHealthChecks().AddKagPrompt();
    builder.Services.AddSingleton<ServiceMetrics>().AddSingleton<MetricsPage>();
    var app = builder.Build();
    var page = app.Services.GetRequiredService<MetricsPage>();
    app.MapGet("/metrics", () => Results.Text(page.ToText(), "text/plain; version=0.0.4"));
    app.MapGet("/healthz", Health.AnswerAsync);
    app.MapPost("/score", Scoring.AnswerAsync);
    // Ctrl-C and SIGTERM end it: no new requests, those under way are answered, then the models go.
    await app.RunAsync();
    return 0;
}
catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException or ArgumentException
    or OptionsValidationException)
{
    Console.Error.WriteLine(fault.Message);
    return 3;
}
