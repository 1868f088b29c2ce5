using System.Diagnostics.CodeAnalysis;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>What is kept of one inspection, as the line reports it.</summary>
/// <remarks>Immutable; thread-safe. Values are checked when the record is handed to <see cref="ResultRecorder.RecordAsync"/>.</remarks>
public record InspectionRecord
{
    /// <summary>Makes an empty record, to be filled by its initializer.</summary>
    public InspectionRecord() { }

    /// <summary>Takes what a verdict says; the rest is the caller's.</summary>
    /// <param name="inspection">The verdict. What is NaN in it (no threshold, no probability) is null here.</param>
    /// <param name="id">See <see cref="Id"/>.</param>
    /// <param name="product">See <see cref="Product"/>.</param>
    /// <param name="modelVersion">See <see cref="ModelVersion"/>.</param>
    /// <param name="time">See <see cref="Time"/>.</param>
    [SetsRequiredMembers]
    public InspectionRecord(Inspection inspection, Guid id, string product, string modelVersion, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(inspection);
        (Id, Product, ModelVersion, Time, Score) = (id, product, modelVersion, time, inspection.Score);
        Probability = float.IsNaN(inspection.Probability) ? null : inspection.Probability;
        Threshold = float.IsNaN(inspection.Threshold) ? null : inspection.Threshold;
        (IsAnomalous, IsForeign, Reason) = (inspection.IsAnomalous, inspection.IsForeign, inspection.Reason);
    }

    /// <summary>
    /// A version 7 GUID (<see cref="NewId"/>), made once for each inspection: a repetition with the same id counts once, and the first one
    /// stays as it is.
    /// </summary>
    public required Guid Id { get; init; }

    /// <summary>The product (class) that was inspected; 1 to 200 characters.</summary>
    public required string Product { get; init; }

    /// <summary>Which model decided, as the line names it; 1 to 100 characters.</summary>
    public required string ModelVersion { get; init; }

    /// <summary>SHA-256 of the model's file, 64 hexadecimal digits in small letters; null: not told.</summary>
    public string? ModelHash { get; init; }

    /// <summary>When the picture was inspected. Kept in UTC, to the microsecond.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The score, finite; higher is more anomalous.</summary>
    public required float Score { get; init; }

    /// <summary>Chance of a defect, 0 to 1; null: cannot be told.</summary>
    public float? Probability { get; init; }

    /// <summary>The threshold that was decided by, finite; null: there was none.</summary>
    public float? Threshold { get; init; }

    /// <summary>Whether the part was rejected.</summary>
    public required bool IsAnomalous { get; init; }

    /// <summary>Whether the picture shows something else than the part.</summary>
    public bool IsForeign { get; init; }

    /// <summary>Why it was rejected, at most 500 characters; null: no reason.</summary>
    public string? Reason { get; init; }

    /// <summary>From the trigger to the verdict, zero or more; null: not measured. Kept to the microsecond.</summary>
    public TimeSpan? CycleTime { get; init; }

    /// <summary>Name of the line, 1 to 100 characters; null: not told.</summary>
    public string? Line { get; init; }

    /// <summary>Name of the station on the line, 1 to 100 characters; null: not told.</summary>
    public string? Station { get; init; }

    /// <summary>A new version 7 GUID: ordered by time, so that rows that are made together lie together.</summary>
    /// <param name="time">The clock; null: the system's.</param>
    public static Guid NewId(TimeProvider? time = null) => Guid.CreateVersion7((time ?? TimeProvider.System).GetUtcNow());
}
