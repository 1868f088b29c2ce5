namespace Microsoft.ML.KagPrompt;

/// <summary>What brings images to the size that a model sees.</summary>
public enum OnnxResizing
{
    /// <summary>This library, bit for bit as the model that was exported does it. The default.</summary>
    AsTheModel,

    /// <summary>
    /// The file's own resizing, as programs in other languages have it: a few pixels differ by one level. A file that takes images of one
    /// size has none, and the library resizes.
    /// </summary>
    InTheFile,
}
