using Microsoft.AspNetCore.Identity;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>Somebody who may log in.</summary>
internal sealed class StationUser : IdentityUser
{
    /// <summary>Whether the password is a one-time one: nothing else is let through until it is changed.</summary>
    public bool MustChangePassword { get; set; }
}
