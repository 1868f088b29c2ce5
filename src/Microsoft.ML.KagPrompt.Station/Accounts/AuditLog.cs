using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Station.Storage;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>Writes down who changed what.</summary>
internal sealed class AuditLog(IDbContextFactory<StationDb> databases, TimeProvider time)
{
    private const int LongestDetail = 1000;

    public async Task AddAsync(string by, string what, string detail = "", CancellationToken stop = default)
    {
        await using var db = await databases.CreateDbContextAsync(stop);
        db.Audit.Add(new()
        {
            At = time.GetUtcNow(),
            By = Shortened(by),
            What = what,
            Detail = Shortened(detail),
        });
        await db.SaveChangesAsync(stop);
    }

    /// <summary>The latest first; before an id, for the page after.</summary>
    public async Task<IReadOnlyList<AuditEntry>> LatestAsync(int count, long? before = null, CancellationToken stop = default)
    {
        await using var db = await databases.CreateDbContextAsync(stop);
        return await db.Audit.AsNoTracking().Where(entry => before == null || entry.Id < before)
            .OrderByDescending(entry => entry.Id).Take(count).ToListAsync(stop);
    }

    private static string Shortened(string text) => text.Length <= LongestDetail ? text : text[..(LongestDetail - 1)] + "…";
}
