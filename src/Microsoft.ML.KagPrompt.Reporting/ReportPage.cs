using Microsoft.ML.KagPrompt.Metrics;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>What a report is made of.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ReportPage
{
    /// <summary>Its heading.</summary>
    public required string Title { get; init; }

    /// <summary>Named facts for the head of the page, such as the data's place.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];

    /// <summary>The images, in any order.</summary>
    public required IReadOnlyList<ReportItem> Items { get; init; }

    /// <summary>What a reader must know of the data the figures rest on, such as masks that could not be read.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Pixel metrics, where there are masks.</summary>
    public IReadOnlyList<ReportPixels> Pixels { get; init; } = [];
}

/// <summary>Pixel metrics of images of a report.</summary>
/// <param name="ClassName">Their class.</param>
/// <param name="DefectType">Their kind of defect; null: all of the class, good ones too.</param>
/// <param name="Metrics">The metrics.</param>
public sealed record ReportPixels(string ClassName, string? DefectType, PixelMetrics Metrics);
