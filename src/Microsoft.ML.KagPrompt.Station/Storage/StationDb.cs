using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Microsoft.ML.KagPrompt.Station.Accounts;

namespace Microsoft.ML.KagPrompt.Station.Storage;

/// <summary>Users, what they changed, and the lines.</summary>
internal sealed class StationDb(DbContextOptions<StationDb> options) : IdentityDbContext<StationUser>(options)
{
    public DbSet<AuditEntry> Audit => Set<AuditEntry>();

    public DbSet<LineRow> Lines => Set<LineRow>();

    public DbSet<PictureFigures> Figures => Set<PictureFigures>();

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.Entity<AuditEntry>().HasIndex(entry => entry.At);
        builder.Entity<LineRow>().HasIndex(line => line.Name).IsUnique();
        builder.Entity<PictureFigures>().HasIndex(figures => new { figures.Product, figures.Time });
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder builder)
    {
        base.ConfigureConventions(builder);
        // SQLite has no times; ticks in UTC can be put in order.
        builder.Properties<DateTimeOffset>().HaveConversion<UtcTicks>();
    }

    private sealed class UtcTicks() : ValueConverter<DateTimeOffset, long>(
        time => time.UtcTicks, ticks => new DateTimeOffset(ticks, TimeSpan.Zero));
}

/// <summary>Who changed what. Rows are only added; the database refuses anything else.</summary>
internal sealed class AuditEntry
{
    public long Id { get; set; }

    public DateTimeOffset At { get; set; }

    public required string By { get; set; }

    public required string What { get; set; }

    public required string Detail { get; set; }
}

/// <summary>A folder that is watched for pictures of a product.</summary>
internal sealed class LineRow
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public required string Product { get; set; }

    /// <summary>Below the allowed root, with '/' between names.</summary>
    public required string Folder { get; set; }

    /// <summary>Whether pictures stay where they are; else they are moved to done/ or failed/.</summary>
    public bool Leave { get; set; }

    public bool Paused { get; set; }
}

/// <summary>How bright and how sharp a picture was.</summary>
internal sealed class PictureFigures
{
    /// <summary>The result's id.</summary>
    public Guid Id { get; set; }

    public required string Product { get; set; }

    public DateTimeOffset Time { get; set; }

    public double Brightness { get; set; }

    public double Sharpness { get; set; }
}
