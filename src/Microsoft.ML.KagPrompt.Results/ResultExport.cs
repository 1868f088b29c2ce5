using System.Text;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Results.Export;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>Writes results one by one as text in UTF-8; numbers and times in the invariant culture.</summary>
/// <remarks>Thread-safe; a stream is of one call.</remarks>
public static class ResultExport
{
    /// <summary>
    /// Comma-separated values with a line of names (RFC 4180). Texts that a spreadsheet would run as a formula (they begin with = + - @, a
    /// tab or a carriage return) get an apostrophe before them.
    /// </summary>
    /// <param name="results">What to write, from <see cref="IResultStore.StreamAsync"/>.</param>
    /// <param name="output">Written to, and left open.</param>
    /// <param name="cancellationToken">Ends the writing between results.</param>
    public static async Task WriteCsvAsync(IAsyncEnumerable<StoredResult> results, Stream output,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(results);
        var writer = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n" };
        await using (writer.ConfigureAwait(false))
        {
            await writer.WriteLineAsync(CsvRow.Header).ConfigureAwait(false);
            await foreach (var result in results.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                await writer.WriteLineAsync(CsvRow.Format(result).AsMemory(), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A JSON object a line.</summary>
    /// <param name="results">What to write, from <see cref="IResultStore.StreamAsync"/>.</param>
    /// <param name="output">Written to, and left open.</param>
    /// <param name="cancellationToken">Ends the writing between results.</param>
    public static async Task WriteJsonLinesAsync(IAsyncEnumerable<StoredResult> results, Stream output,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(output);
        await foreach (var result in results.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(result, ResultJson.Default.StoredResult), (byte)'\n'];
            await output.WriteAsync(line, cancellationToken).ConfigureAwait(false);
        }
    }
}
