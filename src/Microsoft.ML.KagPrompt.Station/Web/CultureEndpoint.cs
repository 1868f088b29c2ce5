using Microsoft.AspNetCore.Localization;

namespace Microsoft.ML.KagPrompt.Station.Web;

/// <summary>Remembers the language in a cookie. It changes nothing else, so that a link may do it.</summary>
internal static class CultureEndpoint
{
    public static void MapCulture(this IEndpointRouteBuilder station)
        => station.MapGet("/culture/{name}", IResult (string name, string? back, HttpContext context) =>
    {
        if (StationCultures.All.All(culture => culture.Name != name))
        {
            return TypedResults.NotFound();
        }

        context.Response.Cookies.Append(CookieRequestCultureProvider.DefaultCookieName,
            CookieRequestCultureProvider.MakeCookieValue(new RequestCulture(name)),
            new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps,
                MaxAge = TimeSpan.FromDays(365), IsEssential = true });
        return TypedResults.LocalRedirect(back is { Length: > 0 } && back[0] == '/' && !back.StartsWith("//", StringComparison.Ordinal)
            && !back.StartsWith("/\\", StringComparison.Ordinal) ? back : "/");
    }).AllowAnonymous();
}
