using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>A support image as it is, turned, and mirrored; what is inspected of it goes along.</summary>
internal static class ViewsOfSupport
{
    private static readonly int[] AllTurns = [0, 1, 2, 3];

    /// <summary>The pictures, the one as it is first, and each one's region where the image has one.</summary>
    public static (IReadOnlyList<PixelBuffer> Pictures, IReadOnlyList<SquareRegion>? Regions) Create(PixelBuffer square,
        SquareRegion? region, SupportViews views)
    {
        (bool IsMirrored, int Turns)[] kinds = views switch
        {
            SupportViews.AsGiven => [(false, 0)],
            SupportViews.Turned => [.. AllTurns.Select(turns => (false, turns))],
            _ => [.. AllTurns.Select(turns => (false, turns)), .. AllTurns.Select(turns => (true, turns))],
        };
        return ([.. kinds.Select(kind => (kind.IsMirrored ? square.Mirrored() : square).Rotate90(kind.Turns))],
            region is null ? null : [.. kinds.Select(kind => region.Seen(kind.IsMirrored, kind.Turns))]);
    }
}
