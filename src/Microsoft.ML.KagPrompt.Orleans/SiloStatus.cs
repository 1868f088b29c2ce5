namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>What a silo holds, and how much it has to do.</summary>
/// <remarks>Immutable; how it stood when it was asked for.</remarks>
[GenerateSerializer, Immutable, Alias("kagprompt.silo-status")]
public sealed record SiloStatus
{
    /// <summary>Its name.</summary>
    [Id(0)]
    public required string Silo { get; init; }

    /// <summary>The products it is to serve.</summary>
    [Id(1)]
    public required IReadOnlyList<WarmModel> Models { get; init; }

    /// <summary>Pictures under way.</summary>
    [Id(2)]
    public required int UnderWay { get; init; }

    /// <summary>Pictures it inspected since it started.</summary>
    [Id(3)]
    public required long Inspected { get; init; }

    /// <summary>Pictures it refused since it started.</summary>
    [Id(4)]
    public required long Refused { get; init; }
}

/// <summary>A product of a silo.</summary>
/// <param name="Product">Its name.</param>
/// <param name="Version">The version whose model is loaded and warm; null: none is.</param>
/// <remarks>Immutable.</remarks>
[GenerateSerializer, Immutable, Alias("kagprompt.warm-model")]
public sealed record WarmModel([property: Id(0)] string Product, [property: Id(1)] string? Version);
