using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>A headless Chromium with one page, driven through the DevTools protocol. It is told to go nowhere by itself; every request that a page makes is recorded.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Arguments =
    [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
        "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1240,900", "--remote-debugging-port=0",
    ];

    private readonly CancellationTokenSource deadline = new(TimeSpan.FromMinutes(3));
    private readonly string profile = Directory.CreateTempSubdirectory("kagprompt-browser-").FullName;
    private readonly ClientWebSocket socket = new();
    private readonly Process process;
    private int calls;

    private Browser(string program)
    {
        process = Process.Start(new ProcessStartInfo(program, [.. Arguments, $"--user-data-dir={profile}", "about:blank"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        // Read on, or a full pipe would stop it.
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        socket.Options.Proxy = null;
    }

    /// <summary>Why it did not start, such as a launcher without its program; null: it did.</summary>
    public string? Fault { get; private set; }

    /// <summary>What pages wrote to the console as warnings or errors, threw, or were refused.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Addresses that pages asked for, embedded data left out.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Where it is installed; null: nowhere on the path.</summary>
    public static string? Program => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(folder => folder != "")
        .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    public static async Task<Browser> Start(string program)
    {
        var browser = new Browser(program);
        try
        {
            await browser.Connect();
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a file, and waits until it has loaded.</summary>
    public async Task Open(string file)
    {
        var url = new Uri(Path.GetFullPath(file)).AbsoluteUri;
        await Call("Page.navigate", new { url });
        while (!(await Evaluate($"document.readyState === 'complete' && location.href === {JsonSerializer.Serialize(url)}")).GetValue<bool>())
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    /// <summary>The value of an expression, or of what it promises.</summary>
    public async Task<JsonNode> Evaluate(string expression)
    {
        var answer = await Call("Runtime.evaluate", new { expression, returnByValue = true, awaitPromise = true });
        return answer["exceptionDetails"] is { } thrown ? throw new InvalidOperationException(thrown.ToJsonString()) : answer["result"]!["value"]!;
    }

    /// <summary>A PNG of a part of the page, in its own pixels.</summary>
    public async Task<byte[]> Screenshot(double x, double y, double width, double height)
    {
        var answer = await Call("Page.captureScreenshot", new { format = "png", captureBeyondViewport = true, clip = new { x, y, width, height, scale = 1 } });
        return Convert.FromBase64String(answer["data"]!.GetValue<string>());
    }

    /// <summary>A command of the protocol; what happens meanwhile is recorded.</summary>
    public async Task<JsonNode> Call(string method, object? parameters = null)
    {
        var id = ++calls;
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters ?? new { } }), WebSocketMessageType.Text, true, deadline.Token);
        while (true)
        {
            var message = await Receive();
            if (message["id"]?.GetValue<int>() == id)
            {
                return message["error"] is { } error ? throw new InvalidOperationException($"{method}: {error.ToJsonString()}") : message["result"]!;
            }

            Record(message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        deadline.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        try
        {
            Directory.Delete(profile, recursive: true);
        }
        catch (IOException)
        {
            // A child that is just ending may still write into it.
        }
    }

    private async Task Connect()
    {
        // The first line of the file it makes is the port that it chose.
        var told = Path.Combine(profile, "DevToolsActivePort");
        string[] lines = [];
        while (lines.Length < 2)
        {
            if (process.HasExited)
            {
                Fault = $"'{process.StartInfo.FileName}' ended with {process.ExitCode} instead of opening a page";
                return;
            }

            await Task.Delay(50, deadline.Token);
            lines = File.Exists(told) ? await File.ReadAllLinesAsync(told, deadline.Token) : [];
        }

        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        var pages = JsonNode.Parse(await http.GetStringAsync($"http://127.0.0.1:{lines[0]}/json/list", deadline.Token))!.AsArray();
        await socket.ConnectAsync(new Uri(pages.First(page => page!["type"]!.GetValue<string>() == "page")!["webSocketDebuggerUrl"]!.GetValue<string>()), deadline.Token);
        foreach (var domain in (string[])["Page", "Runtime", "Log", "Network"])
        {
            await Call($"{domain}.enable");
        }
    }

    private async Task<JsonNode> Receive()
    {
        var (message, part) = (new MemoryStream(), new byte[1 << 16]);
        WebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(part, deadline.Token);
            message.Write(part, 0, received.Count);
        }
        while (!received.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!;
    }

    private void Record(JsonNode message)
    {
        var what = message["params"]!;
        switch (message["method"]!.GetValue<string>())
        {
            case "Network.requestWillBeSent" when what["request"]!["url"]!.GetValue<string>() is var url && !url.StartsWith("data:", StringComparison.Ordinal):
                Requests.Add(url);
                break;
            case "Runtime.consoleAPICalled" or "Runtime.exceptionThrown" or "Log.entryAdded":
                Complaints.Add(what.ToJsonString());
                break;
        }
    }
}
