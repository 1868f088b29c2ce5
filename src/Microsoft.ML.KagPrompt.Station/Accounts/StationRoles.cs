using Microsoft.AspNetCore.Authorization;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>Who may do what: each role does what those before it do.</summary>
internal static class StationRoles
{
    public const string Operator = "operator";
    public const string Engineer = "engineer";
    public const string Administrator = "administrator";

    public static readonly string[] All = [Operator, Engineer, Administrator];

    /// <summary>A policy of each role's name, and a login for all that names none.</summary>
    public static void AddPolicies(AuthorizationBuilder builder) => builder
        .AddPolicy(Operator, policy => policy.RequireRole(Operator, Engineer, Administrator))
        .AddPolicy(Engineer, policy => policy.RequireRole(Engineer, Administrator))
        .AddPolicy(Administrator, policy => policy.RequireRole(Administrator))
        .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
}
