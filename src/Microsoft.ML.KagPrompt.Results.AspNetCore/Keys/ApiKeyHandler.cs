using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

/// <summary>Lets in who presents a key: "Authorization: Bearer KEY".</summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeys keys, WrongKeyLimit wrong)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "KagPromptApiKey";
    public const string KeyId = "kagprompt:key";
    public const string Read = "KagPromptResultsRead";
    public const string Write = "KagPromptResultsWrite";

    private const string Bearer = "Bearer ";

    // Of this request, as the handler is; null: not too many wrong keys.
    private TimeSpan? comeAgainAfter;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        ApiKeyInfo? key;
        try
        {
            key = keys.Find(header[Bearer.Length..].Trim());
        }
        catch (Exception fault) when (fault is ResultStoreException or IOException or UnauthorizedAccessException)
        {
            return Task.FromResult(AuthenticateResult.Fail(fault));
        }

        if (key is null)
        {
            comeAgainAfter = wrong.Note(Context.Connection.RemoteIpAddress);
            return Task.FromResult(AuthenticateResult.Fail("The key is not known, or was revoked."));
        }

        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.Name, key.Name), new Claim(KeyId, key.Id), new Claim(ClaimTypes.Role, key.Role.ToString())], Scheme.Name);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (comeAgainAfter is { } after)
        {
            Response.Headers.RetryAfter = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return TypedResults.Problem("Too many wrong keys from this address.", statusCode: StatusCodes.Status429TooManyRequests)
                .ExecuteAsync(Context);
        }

        Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        return base.HandleChallengeAsync(properties);
    }
}
