using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Station.Storage;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>Before the first request: the database, the roles, and an administrator whose one-time password is told once.</summary>
internal sealed class FirstStart(IServiceScopeFactory scopes, IDbContextFactory<StationDb> databases, UserAdmin users,
    StationOptions options)
    : IHostedService
{
    public const string AdminName = "admin";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            await StationSchema.PrepareAsync(db, cancellationToken);
        }

        await using (var scope = scopes.CreateAsyncScope())
        {
            var roles = scope.ServiceProvider.GetRequiredService<RoleManager<IdentityRole>>();
            foreach (var role in StationRoles.All)
            {
                if (!await roles.RoleExistsAsync(role))
                {
                    await roles.CreateAsync(new IdentityRole(role));
                }
            }
        }

        var known = await users.ListAsync();
        if (known.Count == 0)
        {
            await TellAsync(await users.CreateAsync(AdminName, StationRoles.Administrator, "first start"));
        }
        else if (options.ResetAdmin)
        {
            await users.SetDisabledAsync(AdminName, false, "--reset-admin");
            await TellAsync(await users.ResetPasswordAsync(AdminName, "--reset-admin"));
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private Task TellAsync(string password)
        => options.Output.WriteLineAsync($"One-time password of '{AdminName}' (to be changed at the first login): {password}");
}
