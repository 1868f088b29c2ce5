using System.Globalization;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.ML.KagPrompt.Station.Accounts;
using Microsoft.ML.KagPrompt.Station.Components;
using Microsoft.ML.KagPrompt.Station.Lines;
using Microsoft.ML.KagPrompt.Station.Reports;
using Microsoft.ML.KagPrompt.Station.Teaching;
using Microsoft.ML.KagPrompt.Station.Web;

namespace Microsoft.ML.KagPrompt.Station;

/// <summary>Puts the program together.</summary>
internal static class StationHost
{
    /// <summary>A form or a call; pictures have limits of their own.</summary>
    private const int MostRequestBytes = 64 * 1024;

    public static WebApplication Create(StationOptions options, Action<IServiceCollection>? change = null)
    {
        MakeFolders(options);
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(StationHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.WebHost.UseUrls(options.Urls).UseStaticWebAssets().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostRequestBytes;
        });
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning).AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
            // Its keys lie in the data folder, which its owner alone reads.
            .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
            .AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        StationServices.AddAccounts(services, options);
        StationServices.AddPages(services);
        StationServices.AddInspection(services, options);
        change?.Invoke(services);

        var station = builder.Build();
        Use(station, options);
        return station;
    }

    private static void MakeFolders(StationOptions options)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(options.PathTo());
        }
        else
        {
            // Password hashes and the keys of the cookies lie in it. A folder that is there keeps the rights that its owner gave it.
            Directory.CreateDirectory(options.PathTo(), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Directory.CreateDirectory(options.Incoming);
    }

    private static void Use(WebApplication station, StationOptions options)
    {
        if (options.BehindProxy)
        {
            var forwarded = new ForwardedHeadersOptions
            {
                ForwardedHeaders = ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedFor,
            };
            // Who started the station says that what reaches its port is the proxy, on whatever machine.
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            station.UseForwardedHeaders(forwarded);
        }

        station.UseSecurityHeaders();
        station.UseExceptionHandler("/fault", createScopeForErrors: true);
        station.UseRequestLocalization();
        // People are told in words; programs have the status.
        station.UseWhen(context => HttpMethods.IsGet(context.Request.Method)
            && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal),
            people => people.UseStatusCodePagesWithReExecute("/status", "?code={0}", createScopeForStatusCodePages: true));
        station.UseRouting();
        station.UseAuthentication();
        station.UsePasswordGate();
        station.UseRateLimiter();
        station.UseAuthorization();
        station.UseAntiforgery();
        station.MapStaticAssets().AllowAnonymous();
        station.MapHealthChecks("/health").AllowAnonymous();
        station.MapCulture();
        station.MapPhotographs();
        station.MapResultPictures();
        station.MapInspect();
        station.MapReport();
        station.MapKagPromptResults("/api");
        station.MapRazorComponents<StationRoot>().AddInteractiveServerRenderMode(mode =>
        {
            // The policy above stands alone.
            mode.ContentSecurityFrameAncestorsPolicy = null;
        });
        station.Lifetime.ApplicationStarted.Register(() => options.Output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"The station listens on {string.Join(", ", station.Urls)}")));
    }
}
