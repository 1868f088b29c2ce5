namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>Why a picture has no answer.</summary>
[GenerateSerializer]
public enum PlantFault
{
    /// <summary>No silo answered in time. It may have been inspected: ask again with the same id.</summary>
    Unreachable,

    /// <summary>The line was not set up.</summary>
    LineUnknown,

    /// <summary>No silo has the picture in its store.</summary>
    PictureMissing,

    /// <summary>It cannot be read, is too large, or has another shape than the product's region.</summary>
    PictureUnreadable,

    /// <summary>It has no verdict: its score or map is not finite.</summary>
    NoVerdict,

    /// <summary>The id is another line's inspection.</summary>
    IdTaken,

    /// <summary>The silo could not keep the result: its journal is full, or its disk refused.</summary>
    NotRecorded,

    /// <summary>The silo failed otherwise; its log says how.</summary>
    SiloFailed,
}
