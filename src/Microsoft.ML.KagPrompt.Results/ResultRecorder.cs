using Microsoft.ML.KagPrompt.Results.Journal;
using Microsoft.ML.KagPrompt.Results.Pictures;
using Microsoft.ML.KagPrompt.Results.Recording;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>Takes results and does not lose them: what was recorded is on disk, whether the database is there or not.</summary>
/// <remarks>Thread-safe. Those who record at the same time share one flush of the disk.</remarks>
public sealed class ResultRecorder
{
    private readonly ResultJournal journal;
    private readonly ResultPictures pictures;
    private readonly KagPromptResultsOptions options;

    internal ResultRecorder(ResultJournal journal, ResultPictures pictures, KagPromptResultsOptions options)
        => (this.journal, this.pictures, this.options) = (journal, pictures, options);

    /// <summary>Results that are recorded and not in the database yet. After a restart some may be counted that are.</summary>
    public long Pending => journal.Pending;

    /// <summary>Bytes of the journal; at <see cref="KagPromptResultsOptions.MaxJournalBytes"/> results are refused.</summary>
    public long JournalBytes => journal.Bytes;

    /// <summary>
    /// Records a result. When the task ends without a fault it is on disk and survives the end of the process and of the power; it is in
    /// the database a little later, unless it is older than <see cref="KagPromptResultsOptions.ResultDays"/>. Cancelled or failed, it may
    /// be recorded or not: record it again with the same id and time, which counts once.
    /// </summary>
    /// <param name="record">The result.</param>
    /// <param name="picture">The picture's file as it came, at most <see cref="KagPromptResultsOptions.MaxPictureBytes"/>; empty: none is
    /// kept.</param>
    /// <param name="map">Its map; null: none is kept.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ArgumentException">Values out of range, all of them in one message; a picture that is too large.</exception>
    /// <exception cref="JournalFullException">There is no room; nothing was recorded.</exception>
    /// <exception cref="IOException">The disk refused.</exception>
    public async Task RecordAsync(InspectionRecord record, ReadOnlyMemory<byte> picture = default, ResultMap? map = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        var sound = RecordCheck.Checked(record);
        if (picture.Length > options.MaxPictureBytes)
        {
            throw new ArgumentException(
                $"Picture: expected at most {options.MaxPictureBytes} bytes (MaxPictureBytes), got {picture.Length}.", nameof(picture));
        }

        // First the files, then what refers to them.
        var (pictureHash, mapHash) = picture.IsEmpty && map is null ? (null, null)
            : await Task.Run(() => Write(picture, map), cancellationToken).ConfigureAwait(false);
        var entry = new JournalEntry(sound, pictureHash, mapHash).ToBytes();
        await journal.AppendAsync(entry, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends when everything that was recorded before the call is in the database.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public Task WhenStoredAsync(CancellationToken cancellationToken = default) => journal.WhenDoneAsync(cancellationToken);

    /// <summary>Flushing holds a thread; not the caller's.</summary>
    private (string? Picture, string? Map) Write(ReadOnlyMemory<byte> picture, ResultMap? map)
        => (picture.IsEmpty ? null : pictures.Pictures.Write(picture), map is null ? null : pictures.Maps.Write(MapFile.Encode(map)));
}
