using Microsoft.ML.KagPrompt.Model.Version2;

namespace Microsoft.ML.KagPrompt;

/// <summary>How a data set's files are laid out.</summary>
public enum DatasetLayout
{
    /// <summary>Recognised from its folders.</summary>
    Auto,

    /// <summary>
    /// MVTec AD and LOCO, one product or a folder of products: <c>train/good</c>, <c>validation/good</c>, <c>test/TYPE</c>,
    /// <c>ground_truth/TYPE/NAME_mask.png</c>, <c>NAME.png</c> or <c>NAME/*.png</c>.
    /// </summary>
    MvTec,

    /// <summary>VisA: <c>split_csv/1cls.csv</c> names every file.</summary>
    VisA,

    /// <summary>
    /// KolektorSDD (<c>kosNN/PartN.jpg</c>, <c>PartN_label.bmp</c>; the first half of the normal images trains) and KolektorSDD2
    /// (<c>train</c>, <c>test</c>: <c>NAME.png</c>, <c>NAME_GT.png</c>).
    /// </summary>
    Kolektor,

    /// <summary>
    /// BTAD, one product or a folder of products: <c>train/ok</c>, <c>test/ok</c>, <c>test/ko</c>, <c>ground_truth/ko/NAME.png</c>.
    /// </summary>
    Btad,

    /// <summary>
    /// <c>good</c> for fitting beside folders to be scored (anomalous, unless named "test", "query" or "unknown"),
    /// or images alone, all for fitting.
    /// </summary>
    Folders,

    /// <summary>
    /// A table, CSV with a header or JSON lines: <c>image</c> and, each where wanted, <c>class</c>, <c>split</c>, <c>label</c>,
    /// <c>defect</c>, <c>mask</c>; paths are relative to it.
    /// </summary>
    Manifest,
}
