using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Station.Accounts;
using Microsoft.ML.KagPrompt.Station.Storage;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>Which folders are watched.</summary>
internal sealed class LineStore(IDbContextFactory<StationDb> databases, IModelRegistry registry, AuditLog audit, StationOptions options)
{
    /// <summary>There are other lines now.</summary>
    public event Action? Changed;

    public async Task<IReadOnlyList<LineRow>> ListAsync(CancellationToken stop = default)
    {
        await using var db = await databases.CreateDbContextAsync(stop);
        return await db.Lines.AsNoTracking().OrderBy(line => line.Name).ToListAsync(stop);
    }

    /// <exception cref="ArgumentException">A name is none, or the folder lies elsewhere.</exception>
    public async Task AddAsync(string name, string product, string folder, bool leave, string by)
    {
        if (name.Trim() is not { Length: > 0 and <= 60 } line || line.Any(char.IsControl))
        {
            throw new ArgumentException($"Name of the line: expected 1 to 60 characters, got '{name}'.");
        }

        await registry.ListAsync(product);
        WatchedFolder.Resolve(options.Incoming, folder);
        await using var db = await databases.CreateDbContextAsync();
        if (await db.Lines.AnyAsync(each => each.Name == line || each.Folder == folder))
        {
            throw new ArgumentException($"There is a line of the name '{line}' or of the folder '{folder}' already.");
        }

        db.Lines.Add(new() { Name = line, Product = product, Folder = folder, Leave = leave });
        await db.SaveChangesAsync();
        await audit.AddAsync(by, "line added", $"{line}: {product} in {folder}");
        Changed?.Invoke();
    }

    public async Task RemoveAsync(int id, string by)
    {
        await using var db = await databases.CreateDbContextAsync();
        if (await db.Lines.FindAsync(id) is { } line)
        {
            db.Lines.Remove(line);
            await db.SaveChangesAsync();
            await audit.AddAsync(by, "line removed", line.Name);
            Changed?.Invoke();
        }
    }

    public async Task SetPausedAsync(int id, bool paused, string by)
    {
        await using var db = await databases.CreateDbContextAsync();
        if (await db.Lines.FindAsync(id) is { } line && line.Paused != paused)
        {
            line.Paused = paused;
            await db.SaveChangesAsync();
            await audit.AddAsync(by, paused ? "line paused" : "line resumed", line.Name);
            Changed?.Invoke();
        }
    }
}
