using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.ML.KagPrompt.Results.Recording;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>The tables, whatever the database. Each has a context of its own, as each has migrations of its own.</summary>
internal abstract class ResultsContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<ResultRow> Results => Set<ResultRow>();

    public DbSet<FeedbackRow> Feedback => Set<FeedbackRow>();

    /// <summary>
    /// Until what is given back is disposed of, nothing is said of results with these pictures or maps; what was being said is said first.
    /// </summary>
    public abstract Task<IAsyncDisposable> HoldFeedbackAsync(string[] hashes, CancellationToken cancellationToken);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();
        // Words are read in the database by people, too.
        configurationBuilder.Properties<FeedbackKind>().HaveConversion<string>().HaveMaxLength(20);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ResultRow>(row =>
        {
            row.ToTable("results");
            row.HasKey(result => result.Id);
            row.Property(result => result.Id).ValueGeneratedNever();
            row.Property(result => result.Product).HasMaxLength(RecordCheck.MostOfAProduct);
            row.Property(result => result.ModelVersion).HasMaxLength(RecordCheck.MostOfAName);
            row.Property(result => result.Reason).HasMaxLength(RecordCheck.MostOfAReason);
            row.Property(result => result.Line).HasMaxLength(RecordCheck.MostOfAName);
            row.Property(result => result.Station).HasMaxLength(RecordCheck.MostOfAName);
            row.Property(result => result.FeedbackBy).HasMaxLength(RecordCheck.MostOfAName);
            row.Property(result => result.ModelHash).HasMaxLength(ContentHash.Length);
            row.Property(result => result.PictureHash).HasMaxLength(ContentHash.Length);
            row.Property(result => result.MapHash).HasMaxLength(ContentHash.Length);
            // Pages go on after a key: the id makes it unique.
            row.HasIndex(result => new { result.Time, result.Id });
            row.HasIndex(result => new { result.Product, result.Time, result.Id });
            row.HasIndex(result => new { result.Score, result.Id });
            row.HasIndex(result => new { result.Product, result.Score, result.Id });
            row.HasIndex(result => result.PictureHash);
            row.HasIndex(result => result.MapHash);
        });
        modelBuilder.Entity<FeedbackRow>(row =>
        {
            row.ToTable("feedback");
            row.HasKey(feedback => feedback.Id);
            row.Property(feedback => feedback.By).HasMaxLength(RecordCheck.MostOfAName);
            row.HasOne<ResultRow>().WithMany().HasForeignKey(feedback => feedback.ResultId).OnDelete(DeleteBehavior.Cascade);
        });
    }

    // SQLite gives times without saying that they are UTC.
    private sealed class UtcConverter()
        : ValueConverter<DateTime, DateTime>(time => time, time => DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
