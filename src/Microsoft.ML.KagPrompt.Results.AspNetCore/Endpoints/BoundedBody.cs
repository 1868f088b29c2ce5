using Microsoft.AspNetCore.Http;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>Reads what a client sends into memory, as far as it may be long; never into a file.</summary>
internal static class BoundedBody
{
    /// <exception cref="BadHttpRequestException">It is longer (413).</exception>
    public static async Task<byte[]> ReadAsync(Stream body, int most, string what, CancellationToken cancellationToken)
    {
        var (read, buffer) = (new MemoryStream(), new byte[1 << 16]);
        while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var more)
        {
            if (read.Length + more > most)
            {
                throw new BadHttpRequestException($"{what}: expected at most {most} bytes.", StatusCodes.Status413PayloadTooLarge);
            }

            read.Write(buffer, 0, more);
        }

        return read.ToArray();
    }
}
