using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>Says in the cookie that the password is a one-time one.</summary>
internal sealed class StationClaims(UserManager<StationUser> users, RoleManager<IdentityRole> roles, IOptions<IdentityOptions> options)
    : UserClaimsPrincipalFactory<StationUser, IdentityRole>(users, roles, options)
{
    public const string MustChange = "kagprompt:must-change-password";

    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(StationUser user)
    {
        var identity = await base.GenerateClaimsAsync(user);
        if (user.MustChangePassword)
        {
            identity.AddClaim(new Claim(MustChange, "true"));
        }

        return identity;
    }
}
