using System.Collections.Concurrent;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>While a batch of rows is scored, the next is read on another thread.</summary>
public sealed class ReadingAheadTests : IDisposable
{
    private const int Batch = 4;

    private readonly MLContext ml = new(seed: 1);
    private readonly ConcurrentBag<MLImage> made = [];

    [Fact]
    public void Transform_WhileABatchIsScored_PreparesTheNextAndNoMore()
    {
        var scorer = new Watched();
        scorer.OnInspect = count =>
        {
            var expected = Math.Min(scorer.Inspected + (2 * Batch), 11);
            SpinWait.SpinUntil(() => scorer.Prepared == expected, TimeSpan.FromSeconds(30)).Should().BeTrue("reading goes on beside it");
            Thread.Sleep(20);
            scorer.Prepared.Should().Be(expected, "of batches that wait there is one");
        };
        Scores(scorer, 11).Should().Equal(Enumerable.Range(0, 11).Select(i => (float)i));
        scorer.Calls.Should().Equal(Batch, Batch, 3);
        made.Should().OnlyContain(image => IsDisposed(image));
    }

    [Fact]
    public void Transform_RowsThatCannotBeReadOrScored_FailAtTheirPlaces()
    {
        foreach (var (bad, type) in new[] { (Watched.Unreadable, typeof(ImageReadException)), (Watched.Unscorable, typeof(NotFiniteException)) })
        {
            var rows = Rows(11);
            rows[6].Value = (byte)bad;
            using var cursor = Cursor(new Watched(), rows, out var score);
            for (var (i, value) = (0, 0f); i < 6; i++)
            {
                cursor.MoveNext().Should().BeTrue();
                score(ref value);
                value.Should().Be(i);
            }

            FluentActions.Invoking(() => cursor.MoveNext()).Should().Throw<KagPromptException>().WithMessage("Row 6, column 'Image'*")
                .Which.Should().BeOfType(type);
        }
    }

    [Fact]
    public void Transform_StoppedEarly_FreesEverythingAndReadsNoMore()
    {
        var scorer = new Watched();
        using (var cursor = Cursor(scorer, Rows(40), out _))
        {
            cursor.MoveNext();
            cursor.MoveNext();
        }

        var prepared = scorer.Prepared;
        prepared.Should().BeInRange(Batch, 2 * Batch);
        made.Should().HaveCount(2 * prepared, "each was asked for twice, to see whose it is").And.OnlyContain(image => IsDisposed(image));
        Thread.Sleep(20);
        scorer.Prepared.Should().Be(prepared, "the reader was awaited");
    }

    [Fact]
    public void Transform_NothingAsked_ReadsNothing()
    {
        var scorer = new Watched();
        using (Cursor(scorer, Rows(3), out _))
        {
        }

        scorer.Prepared.Should().Be(0);
    }

    public void Dispose()
    {
        foreach (var image in made)
        {
            image.Dispose();
        }
    }

    private Row[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => new Row { Make = New, Value = (byte)i })];

    private float[] Scores(Watched scorer, int count) => [.. View(scorer, Rows(count)).GetColumn<float>("Score")];

    private ScoredDataView View(Watched scorer, Row[] rows)
        => new(((Microsoft.ML.Runtime.IHostEnvironment)ml).Register("test"), scorer, ml.Data.LoadFromEnumerable(rows));

    private DataViewRowCursor Cursor(Watched scorer, Row[] rows, out ValueGetter<float> score)
    {
        var view = View(scorer, rows);
        var cursor = view.GetRowCursor([view.Schema["Score"]]);
        score = cursor.GetGetter<float>(view.Schema["Score"]);
        return cursor;
    }

    private MLImage New(byte value)
    {
        var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, [value, 0, 0, 255, 0, 0, 0, 255]);
        made.Add(image);
        return image;
    }

    private static bool IsDisposed(MLImage image)
    {
        try
        {
            return image.Width == 0;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    /// <summary>A row whose image is made anew at each asking, as LoadImages does.</summary>
    private sealed class Row
    {
        [NoColumn]
        public Func<byte, MLImage>? Make { get; set; }

        [NoColumn]
        public byte Value { get; set; }

        [ImageType(1, 2)]
        public MLImage Image
        {
            get => Make!(Value);
            set => throw new NotSupportedException();
        }
    }

    /// <summary>Scores an image with its first byte, and counts.</summary>
    private sealed class Watched : IRowScorer
    {
        public const int Unreadable = 100, Unscorable = 101;

        private int prepared;

        public Action<int>? OnInspect { get; set; }

        public int Prepared => Volatile.Read(ref prepared);

        public int Inspected { get; private set; }

        public List<int> Calls { get; } = [];

        public ColumnOptions Columns { get; } = new();

        public int MapSize => 1;

        public int BatchSize => Batch;

        public InputColumns InputOf(DataViewSchema schema) => InputColumns.Find(schema, Columns, new(), fitting: false);

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => OutputSchema.Append(inputSchema, Columns, 1, ResizeMode.Stretch);

        public PixelBuffer ToModelSize(PixelBuffer image, string? className)
        {
            Interlocked.Increment(ref prepared);
            return image.Rgb[0] == Unreadable ? throw new ImageReadException("of another shape") : new(1, 1, image.Rgb[..3]);
        }

        public IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames)
        {
            if (images.Any(image => image.Rgb[0] == Unscorable))
            {
                throw new NotFiniteException("no number");
            }

            OnInspect?.Invoke(images.Count);
            Inspected += images.Count;
            Calls.Add(images.Count);
            return [.. images.Select(image => new Inspection(image.Rgb[0], false, 1, 0, [0f], 1, 1))];
        }

        public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => new float[width * height];

        public ThresholdCalibration CalibrationOf(string? className) => throw new NotSupportedException();
    }
}
