namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// Worst first: missed defects from the lowest score up, false alarms from the highest down, images without label (those unlike every
/// support image, then the others from the highest score down), then what was decided rightly, closest to the threshold first.
/// </summary>
/// <remarks>Where only some images get pictures, it is the first ones. A total order; thread-safe.</remarks>
public sealed class ReportOrder : IComparer<ReportItem>
{
    private ReportOrder() { }

    /// <summary>The order.</summary>
    public static ReportOrder WorstFirst { get; } = new();

    /// <inheritdoc/>
    public int Compare(ReportItem? x, ReportItem? y)
    {
        if (x is null || y is null)
        {
            return Comparer<bool>.Default.Compare(x is not null, y is not null);
        }

        var (one, other) = (Key(x), Key(y));
        var first = one.Group != other.Group ? one.Group.CompareTo(other.Group) : one.Rank.CompareTo(other.Rank);
        return first != 0 ? first : string.CompareOrdinal(x.ClassName + '\0' + x.Name, y.ClassName + '\0' + y.Name);
    }

    private static (int Group, float Rank) Key(ReportItem item) => item.Outcome switch
    {
        ReportOutcome.MissedDefect => (0, item.Margin),
        ReportOutcome.FalseAlarm => (1, -item.Margin),
        ReportOutcome.NotLabelled => (item.IsForeign ? 2 : 3, -item.Margin),
        ReportOutcome.FoundDefect or ReportOutcome.AcceptedGood => (4, Math.Abs(item.Margin)),
        _ => (5, 0),
    };
}
