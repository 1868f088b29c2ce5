using System.Collections.Concurrent;
using System.Text;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>What comes on standard input: one image, or paths, each handed on as its line ends.</summary>
/// <remarks>It is read on a thread of its own: a read that waits for input cannot be cancelled, but the wait for that thread can.</remarks>
internal static class StandardInput
{
    /// <summary>Enough to tell an image from a path.</summary>
    private const int Head = 16;

    /// <summary>Lines that may wait, so that a fast sender is held back.</summary>
    private const int MostWaiting = 64;

    /// <summary>Each item is an image file's bytes or a line; empty lines are none.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled, also while nothing came.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IEnumerable<(byte[]? File, string? Line)> Read(CancellationToken cancellation) => Read(Console.OpenStandardInput(), cancellation);

    private static IEnumerable<(byte[]? File, string? Line)> Read(Stream input, CancellationToken cancellation)
    {
        using var items = new BlockingCollection<(byte[]? File, string? Line)>(MostWaiting);
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                foreach (var item in Items(input))
                {
                    items.Add(item, cancellation);
                }

                items.CompleteAdding();
            }
            catch (Exception happened) when (happened is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                fault = happened;
                Complete(items);
            }
        })
        { IsBackground = true, Name = "standard input" };
        thread.Start();
        foreach (var item in items.GetConsumingEnumerable(cancellation))
        {
            yield return item;
        }

        if (fault is IOException)
        {
            throw fault;
        }
    }

    private static void Complete(BlockingCollection<(byte[]? File, string? Line)> items)
    {
        try
        {
            items.CompleteAdding();
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }

    private static IEnumerable<(byte[]? File, string? Line)> Items(Stream input)
    {
        var head = new byte[Head];
        var length = 0;
        // A line is told by its end, however short.
        while (length < Head && !head.AsSpan(0, length).Contains((byte)'\n') && input.Read(head, length, Head - length) is > 0 and var read)
        {
            length += read;
        }

        head = head[..length];
        if (IsImage(head))
        {
            var whole = new MemoryStream();
            whole.Write(head);
            input.CopyTo(whole);
            yield return (whole.ToArray(), null);
            yield break;
        }

        using var lines = new StreamReader(new Begun(head, input), Encoding.UTF8);
        while (lines.ReadLine() is { } line)
        {
            if (line.Length > 0)
            {
                yield return (null, line);
            }
        }
    }

    /// <summary>PNG and JPEG begin with a byte that no text has, most others have zeros; netpbm, GIF and WebP have names.</summary>
    private static bool IsImage(ReadOnlySpan<byte> head) => head is not [0xFF, 0xFE, ..] and not [0xFE, 0xFF, ..]
        && (head is [0x89 or 0xFF, ..] or [(byte)'P', >= (byte)'1' and <= (byte)'7', (byte)'\n' or (byte)'\r' or (byte)' ', ..]
            || head.Contains((byte)0) || head.StartsWith("GIF8"u8) || head.StartsWith("RIFF"u8));

    /// <summary>A stream of which a beginning was read already.</summary>
    private sealed class Begun(byte[] head, Stream rest) : Stream
    {
        private int at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (at == head.Length)
            {
                return rest.Read(buffer, offset, count);
            }

            var taken = Math.Min(count, head.Length - at);
            head.AsSpan(at, taken).CopyTo(buffer.AsSpan(offset));
            at += taken;
            return taken;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
