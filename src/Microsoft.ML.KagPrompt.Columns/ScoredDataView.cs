using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>A view with the output columns appended; its cursor scores rows in batches, ahead of the reader.</summary>
internal sealed class ScoredDataView(IHost host, IRowScorer scorer, IDataView input) : IDataView
{
    // Rows are read twice, by two cursors that must meet them in the same order.
    public bool CanShuffle => false;

    public DataViewSchema Schema { get; } = scorer.GetOutputSchema(input.Schema);

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var needed = columnsNeeded.Select(column => column.Index).ToHashSet();
        var passed = input.GetRowCursor(input.Schema.Where(column => needed.Contains(column.Index)));
        if (!needed.Any(index => index >= input.Schema.Count))
        {
            return new ScoredCursor(host, scorer, Schema, input.Schema.Count, needed, passed, null);
        }

        try
        {
            var ahead = input.GetRowCursor(scorer.InputOf(input.Schema).ForScoring);
            return new ScoredCursor(host, scorer, Schema, input.Schema.Count, needed, passed, ahead);
        }
        catch
        {
            passed.Dispose();
            throw;
        }
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];
}
