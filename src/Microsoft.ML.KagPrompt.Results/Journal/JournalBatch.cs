namespace Microsoft.ML.KagPrompt.Results.Journal;

/// <summary>Entries that follow one another in a segment.</summary>
/// <param name="Segment">Where they are.</param>
/// <param name="End">Where the last one ends.</param>
/// <param name="Entries">Their bytes, in the order in which they were acknowledged.</param>
internal sealed record JournalBatch(JournalSegment Segment, long End, IReadOnlyList<byte[]> Entries);
