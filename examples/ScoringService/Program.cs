// A model behind HTTP: POST /score with an image as the body; GET /healthz; GET /metrics. Bound to this machine alone.
//   ScoringService --model part.zip [--port 5080] [--readers 4] [--max-bytes 20000000]
using System.Diagnostics;
using System.Net;
using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Diagnostics;
using ScoringService;

var builder = WebApplication.CreateSlimBuilder(args);
var settings = builder.Configuration;
var (port, readers, maxBytes) =
    (settings.GetValue("port", 5080), settings.GetValue("readers", 4), settings.GetValue("max-bytes", 20_000_000L));
if (settings["model"] is not { } modelPath)
{
    Console.Error.WriteLine("Usage: ScoringService --model MODEL.zip [--port 5080; 0: any free one] [--readers 4] [--max-bytes 20000000] "
        + "(QuickStart writes a model to artifacts/demo/part.zip)");
    return 2;
}

try
{
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.Listen(IPAddress.Loopback, port);
        kestrel.Limits.MaxRequestBodySize = maxBytes;
    });

    using var model = Scorer.Load(modelPath, readers);
    var metrics = new ServiceMetrics();
    var app = builder.Build();
    app.MapGet("/healthz", () => Results.Ok(new { status = "ok", classes = model.ClassNames }));
    app.MapGet("/metrics", () => Results.Text(metrics.ToText(), "text/plain; version=0.0.4"));
    app.MapPost("/score", async (HttpRequest request, string? @class, CancellationToken aborted) =>
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var body = new MemoryStream();
            await request.Body.CopyToAsync(body, aborted);
            var verdict = await model.ScoreAsync(body.ToArray(), @class, aborted);
            metrics.Scored(verdict.IsAnomalous, Stopwatch.GetElapsedTime(started));
            return Results.Ok(verdict);
        }
        catch (BadHttpRequestException fault)
        {
            return Refuse(fault.StatusCode, fault.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? $"The image is larger than the {maxBytes} bytes this service takes (--max-bytes)."
                : fault.Message);
        }
        catch (Exception fault) when (fault is ImageReadException or ArgumentException)
        {
            return Refuse(StatusCodes.Status400BadRequest, fault.Message);
        }
    });

    // Ctrl-C and SIGTERM end it: no new requests, those under way are answered, then the model goes.
    await app.RunAsync();
    return 0;

    IResult Refuse(int status, string message)
    {
        metrics.Refused(status);
        return Results.Json(new { error = message }, statusCode: status);
    }
}
catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine(fault.Message);
    return 3;
}
