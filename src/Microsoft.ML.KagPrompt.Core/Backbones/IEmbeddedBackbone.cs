namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A backbone inside the library.</summary>
internal interface IEmbeddedBackbone : IBackboneSource
{
    /// <summary>What it is.</summary>
    BackboneDescription Describe();
}
