using Microsoft.ML.KagPrompt.Results.Recording;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>A row of the table of results.</summary>
internal sealed class ResultRow
{
    public Guid Id { get; init; }

    public required string Product { get; init; }

    public required string ModelVersion { get; init; }

    public string? ModelHash { get; init; }

    /// <summary>UTC.</summary>
    public DateTime Time { get; init; }

    public float Score { get; init; }

    public float? Probability { get; init; }

    public float? Threshold { get; init; }

    public bool IsAnomalous { get; init; }

    public bool IsForeign { get; init; }

    public string? Reason { get; init; }

    /// <summary>Microseconds.</summary>
    public long? CycleTime { get; init; }

    public string? Line { get; init; }

    public string? Station { get; init; }

    public string? PictureHash { get; init; }

    public string? MapHash { get; init; }

    public FeedbackKind Feedback { get; init; }

    public string? FeedbackBy { get; init; }

    /// <summary>UTC.</summary>
    public DateTime? FeedbackAt { get; init; }

    public static ResultRow From(JournalEntry entry) => new()
    {
        Id = entry.Record.Id,
        Product = entry.Record.Product,
        ModelVersion = entry.Record.ModelVersion,
        ModelHash = entry.Record.ModelHash,
        Time = entry.Record.Time.UtcDateTime,
        Score = entry.Record.Score,
        Probability = entry.Record.Probability,
        Threshold = entry.Record.Threshold,
        IsAnomalous = entry.Record.IsAnomalous,
        IsForeign = entry.Record.IsForeign,
        Reason = entry.Record.Reason,
        CycleTime = entry.Record.CycleTime?.Ticks / TimeSpan.TicksPerMicrosecond,
        Line = entry.Record.Line,
        Station = entry.Record.Station,
        PictureHash = entry.PictureHash,
        MapHash = entry.MapHash,
    };

    public StoredResult ToResult() => new()
    {
        Id = Id,
        Product = Product,
        ModelVersion = ModelVersion,
        ModelHash = ModelHash,
        Time = Time,
        Score = Score,
        Probability = Probability,
        Threshold = Threshold,
        IsAnomalous = IsAnomalous,
        IsForeign = IsForeign,
        Reason = Reason,
        CycleTime = CycleTime is { } time ? TimeSpan.FromMicroseconds(time) : null,
        Line = Line,
        Station = Station,
        PictureHash = PictureHash,
        MapHash = MapHash,
        Feedback = Feedback,
        FeedbackBy = FeedbackBy,
        FeedbackAt = FeedbackAt,
    };
}
