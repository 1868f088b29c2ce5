using Microsoft.ML.KagPrompt.Reporting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Pictures;
using Microsoft.ML.KagPrompt.Station.Teaching;

namespace Microsoft.ML.KagPrompt.Station.Reports;

/// <summary>A result's picture with its map, as one file for paper.</summary>
internal sealed class ReportPictures(ResultPictures pictures, PictureDecoder decoder, FactsStore facts)
{
    private const int Side = 320;

    /// <summary>JPEG; null: deleted since.</summary>
    public async Task<byte[]?> ReadAsync(StoredResult result, CancellationToken stop)
    {
        if (result.PictureHash is null || await pictures.ReadPictureAsync(result.PictureHash, stop) is not { } file)
        {
            return null;
        }

        var picture = SmallPicture.Scale(await decoder.ReadAsync(file, stop), Side);
        if (result.MapHash is not null && await pictures.ReadMapAsync(result.MapHash, stop) is { } map
            && facts.Find(result.Product, result.ModelVersion) is { } known)
        {
            picture = HeatmapRenderer.Overlay(picture, At(map, picture.Width, picture.Height), known.Scale);
        }

        return ImageCodec.EncodeJpeg(picture);
    }

    private static float[] At(ResultMap map, int width, int height)
    {
        var values = new float[width * height];
        for (var p = 0; p < values.Length; p++)
        {
            values[p] = map.Values.Span[(p / width * map.Height / height * map.Width) + (p % width * map.Width / width)];
        }

        return values;
    }
}
