using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Serves the input's columns from one cursor and the output columns from a batch that a second cursor read ahead, so that rows meet the
/// network together and pass-through values are never buffered. While a batch is scored and served, the next is read on another thread.
/// </summary>
internal sealed class ScoredCursor : DataViewRowCursor
{
    private readonly IHost host;
    private readonly IRowScorer scorer;
    private readonly int inputColumns;
    private readonly HashSet<int> active;
    private readonly DataViewRowCursor passed;
    private readonly DataViewRowCursor? ahead;
    private readonly ReadAhead<RowInput>? batches;
    private readonly OutputColumns outputs;
    private ScoredRow[] batch = [];
    private int next;
    private bool disposed;

    /// <summary>Takes over both cursors; without the second no output column is active.</summary>
    public ScoredCursor(IHost host, IRowScorer scorer, DataViewSchema schema, int inputColumns, HashSet<int> active,
        DataViewRowCursor passed, DataViewRowCursor? ahead)
    {
        (this.host, this.scorer, Schema, this.inputColumns, this.active, this.passed, this.ahead)
            = (host, scorer, schema, inputColumns, active, passed, ahead);
        outputs = new OutputColumns(scorer);
        if (ahead is not null)
        {
            var read = scorer.InputOf(ahead.Schema).RowReader(ahead);
            batches = new(_ => Rows(ahead, read, outputs), (_, count) => count == scorer.BatchSize);
        }
    }

    public override DataViewSchema Schema { get; }

    public override long Position => passed.Position;

    public override long Batch => passed.Batch;

    private ScoredRow Current
        => Position >= 0 && next > 0
            ? batch[next - 1]
            : throw new InvalidOperationException("The cursor is not at a row: call MoveNext first.");

    public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

    public override ValueGetter<DataViewRowId> GetIdGetter() => passed.GetIdGetter();

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
        {
            throw new ArgumentException($"Column '{column.Name}' is not active in this cursor.", nameof(column));
        }

        return column.Index < inputColumns ? passed.GetGetter<TValue>(passed.Schema[column.Index])
            : outputs.Getter(column.Index - inputColumns, () => Current) as ValueGetter<TValue>
                ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type}, not {typeof(TValue)}.");
    }

    public override bool MoveNext()
    {
        host.CheckAlive();
        if (!passed.MoveNext())
        {
            return false;
        }

        if (batches is not null)
        {
            if (next == batch.Length)
            {
                // What was served is let go of before more is made.
                (batch, next) = ([], 0);
                batch = outputs.Inspect(batches.Next());
            }

            if (batch.Length == 0)
            {
                throw new InvalidOperationException($"The input gave row {Position} to one reader and not to another: "
                    + "its rows must not change between reads.");
            }

            // First: who reads on after the fault meets this row, which has no verdict, and not the one before.
            batch[next++].OrThrow();
        }

        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            // Before its cursor, which its thread uses.
            batches?.Dispose();
            ahead?.Dispose();
            passed.Dispose();
        }

        base.Dispose(disposing);
    }

    private static IEnumerable<RowInput> Rows(DataViewRowCursor cursor, Func<RowInput> read, OutputColumns outputs)
    {
        while (cursor.MoveNext())
        {
            yield return outputs.Prepare(read());
        }
    }
}
