using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Station.Storage;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>What is shown of a user.</summary>
internal sealed record UserView(string Name, string Role, bool MustChangePassword, bool IsDisabled, DateTimeOffset? LockedUntil);

/// <summary>Makes and changes users. Each call has a database context of its own: pages live long.</summary>
internal sealed class UserAdmin(IServiceScopeFactory scopes, AuditLog audit, TimeProvider time)
{
    private readonly OneAtATime changes = new();

    public async Task<IReadOnlyList<UserView>> ListAsync()
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StationUser>>();
        var views = new List<UserView>();
        foreach (var user in await users.Users.OrderBy(user => user.NormalizedUserName).ToListAsync())
        {
            views.Add(new(user.UserName!, (await users.GetRolesAsync(user)).FirstOrDefault() ?? "", user.MustChangePassword,
                user.LockoutEnd == DateTimeOffset.MaxValue,
                user.LockoutEnd is { } end && end > time.GetUtcNow() && end != DateTimeOffset.MaxValue ? end : null));
        }

        return views;
    }

    /// <summary>Makes a user, and returns the one-time password.</summary>
    public Task<string> CreateAsync(string name, string role, string by) => ChangeAsync(async users =>
    {
        RequireRole(role);
        var password = OneTimePassword.New();
        var user = new StationUser { UserName = name.Trim(), MustChangePassword = true };
        Require(await users.CreateAsync(user, password));
        Require(await users.AddToRoleAsync(user, role));
        await audit.AddAsync(by, "user created", $"{user.UserName}, {role}");
        return password;
    });

    /// <summary>Gives a one-time password, ends a lockout, and logs the user out everywhere.</summary>
    public Task<string> ResetPasswordAsync(string name, string by) => ChangeAsync(async users =>
    {
        var user = await FindAsync(users, name);
        var password = OneTimePassword.New();
        user.MustChangePassword = true;
        Require(await users.ResetPasswordAsync(user, await users.GeneratePasswordResetTokenAsync(user), password));
        if (user.LockoutEnd != DateTimeOffset.MaxValue)
        {
            // Who is disabled stays so.
            Require(await users.SetLockoutEndDateAsync(user, null));
        }

        Require(await users.ResetAccessFailedCountAsync(user));
        await audit.AddAsync(by, "password reset", name);
        return password;
    });

    public Task SetRoleAsync(string name, string role, string by) => ChangeAsync(async users =>
    {
        RequireRole(role);
        var user = await FindAsync(users, name);
        await RequireAnotherAdministratorAsync(users, user, role);
        Require(await users.RemoveFromRolesAsync(user, await users.GetRolesAsync(user)));
        Require(await users.AddToRoleAsync(user, role));
        Require(await users.UpdateSecurityStampAsync(user));
        await audit.AddAsync(by, "role changed", $"{name}, {role}");
        return "";
    });

    public Task SetDisabledAsync(string name, bool disabled, string by) => ChangeAsync(async users =>
    {
        var user = await FindAsync(users, name);
        await RequireAnotherAdministratorAsync(users, user, disabled ? "" : StationRoles.Administrator);
        Require(await users.SetLockoutEndDateAsync(user, disabled ? DateTimeOffset.MaxValue : null));
        Require(await users.UpdateSecurityStampAsync(user));
        await audit.AddAsync(by, disabled ? "user disabled" : "user enabled", name);
        return "";
    });

    private async Task<string> ChangeAsync(Func<UserManager<StationUser>, Task<string>> change)
    {
        using var taken = await changes.TakeAsync();
        await using var scope = scopes.CreateAsyncScope();
        return await change(scope.ServiceProvider.GetRequiredService<UserManager<StationUser>>());
    }

    // Or nobody could make one again.
    private static async Task RequireAnotherAdministratorAsync(UserManager<StationUser> users, StationUser user, string role)
    {
        if (role != StationRoles.Administrator && (await users.GetUsersInRoleAsync(StationRoles.Administrator))
            .All(each => each.Id == user.Id || each.LockoutEnd == DateTimeOffset.MaxValue))
        {
            throw new InvalidOperationException($"{user.UserName} is the only administrator: give that role to somebody else first.");
        }
    }

    private static async Task<StationUser> FindAsync(UserManager<StationUser> users, string name)
        => await users.FindByNameAsync(name) ?? throw new InvalidOperationException($"There is no user '{name}'.");

    private static void RequireRole(string role)
    {
        if (!StationRoles.All.Contains(role))
        {
            throw new InvalidOperationException($"Expected one of {string.Join(", ", StationRoles.All)}, got '{role}'.");
        }
    }

    private static void Require(IdentityResult result)
    {
        if (!result.Succeeded)
        {
            throw new InvalidOperationException(string.Join(" ", result.Errors.Select(error => error.Description)));
        }
    }
}
