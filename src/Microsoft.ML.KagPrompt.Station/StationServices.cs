using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Microsoft.ML.KagPrompt.Station.Accounts;
using Microsoft.ML.KagPrompt.Station.Demo;
using Microsoft.ML.KagPrompt.Station.Improving;
using Microsoft.ML.KagPrompt.Station.Lines;
using Microsoft.ML.KagPrompt.Station.Pictures;
using Microsoft.ML.KagPrompt.Station.Reports;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Teaching;
using Microsoft.ML.KagPrompt.Station.Watching;
using Microsoft.ML.KagPrompt.Station.Web;

namespace Microsoft.ML.KagPrompt.Station;

/// <summary>What the program is made of.</summary>
internal static class StationServices
{
    public static void AddAccounts(IServiceCollection services, StationOptions options)
    {
        services.AddDbContextFactory<StationDb>(db => db.UseSqlite($"Data Source={options.PathTo("station.db")}"));
        services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(options.PathTo("keys")))
            .SetApplicationName("kagprompt-station");
        services.AddIdentityCore<StationUser>(identity =>
        {
            identity.Password = new() { RequiredLength = 12, RequireDigit = false, RequireLowercase = false, RequireUppercase = false,
                RequireNonAlphanumeric = false, RequiredUniqueChars = 5 };
            identity.Lockout = new() { MaxFailedAccessAttempts = 5, DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5),
                AllowedForNewUsers = true };
        })
            .AddRoles<IdentityRole>().AddEntityFrameworkStores<StationDb>().AddClaimsPrincipalFactory<StationClaims>().AddSignInManager()
                .AddDefaultTokenProviders();
        services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies();
        services.ConfigureApplicationCookie(cookie =>
        {
            cookie.Cookie.Name = "kagprompt-station";
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SameSite = SameSiteMode.Strict;
            // Plain HTTP is on loopback alone, or behind a proxy that says who speaks HTTPS.
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.LoginPath = "/login";
            cookie.AccessDeniedPath = "/denied";
            cookie.ExpireTimeSpan = TimeSpan.FromHours(10);
            cookie.SlidingExpiration = true;
        });
        services.Configure<SecurityStampValidatorOptions>(stamps => stamps.ValidationInterval = TimeSpan.FromMinutes(1));
        StationRoles.AddPolicies(services.AddAuthorizationBuilder());
        services.AddAntiforgery(forgery =>
        {
            forgery.Cookie.HttpOnly = true;
            forgery.Cookie.SameSite = SameSiteMode.Strict;
            forgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        services.AddRateLimiter(limits =>
        {
            limits.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limits.OnRejected = async (rejected, stop) => await rejected.HttpContext.Response.WriteAsync(
                rejected.HttpContext.RequestServices.GetRequiredService<IStringLocalizer<Texts>>()[
                    "Too many at once, or too many tries. Wait a minute."], stop);
            limits.AddPolicy("login", context => HttpMethods.IsPost(context.Request.Method)
                ? RateLimitPartition.GetFixedWindowLimiter(context.Connection.RemoteIpAddress?.ToString() ?? "",
                    _ => new() { PermitLimit = 10, Window = TimeSpan.FromMinutes(1) })
                : RateLimitPartition.GetNoLimiter(""));
            // Their bodies are in memory while they wait.
            limits.AddConcurrencyLimiter("pictures", pictures => (pictures.PermitLimit, pictures.QueueLimit) = (16, 64));
        });
        services.AddSingleton<AuditLog>();
        services.AddSingleton<UserAdmin>();
        services.AddHostedService<FirstStart>();
    }

    public static void AddPages(IServiceCollection services)
    {
        services.AddLocalization();
        services.Configure<RequestLocalizationOptions>(cultures =>
        {
            cultures.SupportedCultures = cultures.SupportedUICultures = StationCultures.All;
            cultures.DefaultRequestCulture = new RequestCulture(StationCultures.English);
        });
        services.AddRazorComponents().AddInteractiveServerComponents(circuits =>
        {
            circuits.DisconnectedCircuitMaxRetained = 50;
            circuits.MaxBufferedUnacknowledgedRenderBatches = 20;
        });
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, CircuitLogin>();
        services.AddHttpContextAccessor();
    }

    public static void AddInspection(IServiceCollection services, StationOptions options)
    {
        services.AddKagPromptResults(results =>
        {
            results.Folder = options.PathTo("results");
            (results.ResultDays, results.PictureDays, results.PictureGigabytes)
                = (options.ResultDays, options.PictureDays, options.PictureGigabytes);
        });
        services.AddKagPromptResultsApi();
        services.AddKagPrompt(hosting =>
        {
            hosting.RegistryInterval = TimeSpan.FromSeconds(1);
            hosting.MaxImageBytes = PhotoStore.MostBytes;
        }).AddLoader(new KagPromptModelLoader()).AddRegistry(options.PathTo("registry"));
        services.AddHealthChecks().AddKagPrompt();
        services.AddSingleton<PictureDecoder>().AddSingleton<PhotoStore>().AddSingleton<DraftStore>().AddSingleton<FactsStore>()
            .AddSingleton<Teacher>()
            .AddSingleton<Publisher>().AddSingleton<Improver>();
        services.AddSingleton<Watcher>().AddSingleton<ShiftReports>().AddSingleton<ReportPictures>();
        services.AddSingleton<InspectionPipeline>().AddSingleton<LineStore>().AddSingleton<LineService>().AddSingleton<HeavyWork>();
        services.AddHostedService(provider => provider.GetRequiredService<HeavyWork>());
        services.AddHostedService(provider => provider.GetRequiredService<LineService>());
        if (options.Demo)
        {
            services.AddHostedService<DemoProduct>();
        }
    }
}
