using System.Net;
using System.Text.RegularExpressions;

namespace Microsoft.ML.KagPrompt.Station.Tests;

/// <summary>A browser without scripts: cookies and forms.</summary>
public sealed class Visitor : IDisposable
{
    private readonly HttpClient http;

    public Visitor(Uri address) => http = new(new HttpClientHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        BaseAddress = address,
        DefaultRequestHeaders = { { "Accept", "text/html" } },
    };

    public HttpClient Http => http;

    public Task<HttpResponseMessage> GetAsync(string path) => http.GetAsync(path);

    public async Task<string> ReadAsync(string path) => await (await http.GetAsync(path)).Content.ReadAsStringAsync();

    /// <summary>Fills a form of a page and sends it, with the page's own hidden fields.</summary>
    public async Task<HttpResponseMessage> SendAsync(string path, string form, params (string Name, string Value)[] fields)
    {
        var page = await ReadAsync(path);
        var inside = Regex.Matches(page, "<form.*?</form>", RegexOptions.Singleline).Select(match => match.Value)
            .First(text => text.Contains($"value=\"{form}\"", StringComparison.Ordinal));
        var hidden = Regex.Matches(inside, "<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")
            .Select(match => (match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value)));
        return await http.PostAsync(path, new FormUrlEncodedContent(hidden.Concat(fields)
            .Select(field => KeyValuePair.Create(field.Item1, field.Item2))));
    }

    public Task<HttpResponseMessage> LogInAsync(string name, string password)
        => SendAsync("/login", "login", ("Input.Name", name), ("Input.Password", password));

    /// <summary>Logs in with a one-time password, and takes another in its place.</summary>
    public async Task EnterAsync(string name, string oneTime, string own)
    {
        await LogInAsync(name, oneTime);
        (await SendAsync("/account", "change", ("Input.Old", oneTime), ("Input.New", own), ("Input.Again", own)))
            .StatusCode.Should().Be(HttpStatusCode.Redirect);
    }

    public void Dispose() => http.Dispose();
}
