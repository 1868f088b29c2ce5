namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>What a line has a silo do.</summary>
[GenerateSerializer, Immutable, Alias("kagprompt.work-order")]
internal sealed record WorkOrder
{
    [Id(0)]
    public required Guid Id { get; init; }

    [Id(1)]
    public required string Line { get; init; }

    [Id(2)]
    public required PictureReference Picture { get; init; }

    [Id(3)]
    public required string Product { get; init; }

    /// <summary>Null: whichever is there.</summary>
    [Id(4)]
    public string? ModelVersion { get; init; }

    /// <summary>Null: the model's own.</summary>
    [Id(5)]
    public float? Threshold { get; init; }
}
