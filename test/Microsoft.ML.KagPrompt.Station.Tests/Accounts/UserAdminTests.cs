using Microsoft.AspNetCore.Identity;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Station.Accounts;
using Microsoft.ML.KagPrompt.Station.Storage;

namespace Microsoft.ML.KagPrompt.Station.Tests.Accounts;

public sealed class UserAdminTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-users-").FullName;
    private readonly StringWriter output = new();
    private ServiceProvider services = null!;

    private UserAdmin Users => services.GetRequiredService<UserAdmin>();

    public async Task InitializeAsync()
    {
        var collection = new ServiceCollection();
        collection.AddLogging();
        StationServices.AddAccounts(collection, new StationOptions { Data = folder, Output = output });
        collection.AddSingleton(TimeProvider.System).AddSingleton(new StationOptions { Data = folder, Output = output });
        services = collection.BuildServiceProvider();
        await services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<FirstStart>().Single().StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        await services.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task FirstStart_Twice_TellsOnePassword()
    {
        await services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<FirstStart>().Single().StartAsync(default);
        output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().ContainSingle();
        (await Users.ListAsync()).Should().ContainSingle(user => user.Name == "admin" && user.MustChangePassword);
    }

    [Fact]
    public async Task SetRole_OfTheOnlyAdministrator_IsRefused()
    {
        await Users.CreateAsync("anna", StationRoles.Operator, "admin");
        var act = () => Users.SetRoleAsync("admin", StationRoles.Operator, "admin");
        await act.Should().ThrowAsync<InvalidOperationException>().WithMessage("*only administrator*");
        await Users.SetRoleAsync("anna", StationRoles.Administrator, "admin");
        await act.Should().NotThrowAsync();
        await FluentActions.Awaiting(() => Users.SetDisabledAsync("anna", true, "admin")).Should().ThrowAsync<InvalidOperationException>();
    }

    [Fact]
    public async Task Audit_Rows_CanNeitherBeChangedNorDeleted()
    {
        await Users.CreateAsync("anna", StationRoles.Operator, "admin");
        await using var db = await services.GetRequiredService<IDbContextFactory<StationDb>>().CreateDbContextAsync();
        (await db.Audit.Select(entry => entry.What).ToListAsync()).Should().Contain("user created");
        await FluentActions.Awaiting(() => db.Audit.ExecuteDeleteAsync()).Should().ThrowAsync<SqliteException>()
            .WithMessage("*append only*");
        await FluentActions.Awaiting(() => db.Audit.ExecuteUpdateAsync(change => change.SetProperty(entry => entry.By, "nobody")))
            .Should().ThrowAsync<SqliteException>().WithMessage("*append only*");
    }

    [Fact]
    public async Task ResetPassword_LogsOutEverywhere()
    {
        await using var scope = services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StationUser>>();
        var before = (await users.FindByNameAsync("admin"))!.SecurityStamp;
        var password = await Users.ResetPasswordAsync("admin", "admin");
        var admin = (await users.Users.AsNoTracking().SingleAsync());
        admin.SecurityStamp.Should().NotBe(before, "open pages and cookies of before are held against it");
        (await users.CheckPasswordAsync(admin, password)).Should().BeTrue();
        admin.MustChangePassword.Should().BeTrue();
    }

    [Fact]
    public async Task ResetPassword_OfADisabledUser_LeavesThemDisabled()
    {
        await Users.CreateAsync("anna", StationRoles.Operator, "admin");
        await Users.SetDisabledAsync("anna", true, "admin");
        await Users.ResetPasswordAsync("anna", "admin");
        await using var scope = services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StationUser>>();
        (await users.IsLockedOutAsync((await users.FindByNameAsync("anna"))!)).Should().BeTrue();
    }

    [Fact]
    public async Task Schema_OfAnotherVersion_IsRefused()
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<StationDb>>().CreateDbContextAsync();
        await db.Database.ExecuteSqlRawAsync("PRAGMA user_version = 7");
        await FluentActions.Awaiting(() => StationSchema.PrepareAsync(db, default)).Should().ThrowAsync<InvalidDataException>()
            .WithMessage("*version 1*got 7*");
    }
}
