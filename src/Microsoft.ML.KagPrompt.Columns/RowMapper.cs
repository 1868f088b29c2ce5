using Microsoft.ML.Data;

namespace Microsoft.ML.KagPrompt;

/// <summary>Row by row, for prediction engines.</summary>
internal sealed class RowMapper : IRowToRowMapper
{
    private readonly IRowScorer scorer;
    private readonly InputColumns columns;

    public RowMapper(IRowScorer scorer, DataViewSchema inputSchema)
    {
        (this.scorer, InputSchema) = (scorer, inputSchema);
        columns = scorer.InputOf(inputSchema);
        OutputSchema = scorer.GetOutputSchema(inputSchema);
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = dependingColumns.Select(column => column.Index).ToHashSet();
        var own = needed.Any(index => index >= InputSchema.Count) ? columns.ForScoring.Select(column => column.Index) : [];
        return InputSchema.Where(column => needed.Contains(column.Index) || own.Contains(column.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
        => new MappedRow(this, input, activeColumns.Select(column => column.Index).ToHashSet());

    /// <summary>The input row with the outputs; one forward serves all output columns of a position.</summary>
    private sealed class MappedRow : DataViewRow
    {
        private readonly RowMapper mapper;
        private readonly DataViewRow input;
        private readonly HashSet<int> active;
        private readonly OutputColumns outputs;
        private readonly Func<RowInput>? read;
        private ScoredRow? scored;
        private long scoredPosition = -1;
        private bool disposed;

        public MappedRow(RowMapper mapper, DataViewRow input, HashSet<int> active)
        {
            (this.mapper, this.input, this.active) = (mapper, input, active);
            outputs = new OutputColumns(mapper.scorer);
            if (active.Any(index => index >= mapper.InputSchema.Count))
            {
                read = mapper.columns.RowReader(input);
            }
        }

        public override DataViewSchema Schema => mapper.OutputSchema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
            => column.Index < mapper.InputSchema.Count ? input.GetGetter<TValue>(mapper.InputSchema[column.Index])
                : outputs.Getter(column.Index - mapper.InputSchema.Count, Current) as ValueGetter<TValue>
                    ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type}, not {typeof(TValue)}.");

        protected override void Dispose(bool disposing)
        {
            if (disposing && !disposed)
            {
                disposed = true;
                input.Dispose();
            }

            base.Dispose(disposing);
        }

        private ScoredRow Current()
        {
            if (scored is null || scoredPosition != input.Position)
            {
                scored = outputs.Inspect([outputs.Prepare(read!())])[0].OrThrow();
                scoredPosition = input.Position;
            }

            return scored;
        }
    }
}
