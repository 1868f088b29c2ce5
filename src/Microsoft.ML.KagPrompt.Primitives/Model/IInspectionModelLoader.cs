namespace Microsoft.ML.KagPrompt;

/// <summary>Makes models of files of one kind.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IInspectionModelLoader
{
    /// <summary>How many bytes of a file <see cref="Reads"/> is shown, where the file is as long.</summary>
    const int HeadLength = 16;

    /// <summary>Whether a file that begins so is of this loader's kind.</summary>
    bool Reads(ReadOnlySpan<byte> head);

    /// <summary>The classes of parts that a file's model knows. It may have to be loaded for that.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is damaged, or of another kind.</exception>
    IReadOnlyList<string> ClassNames(string path);

    /// <summary>Loads a file. The caller disposes the model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="className">Which of its classes; null: its only one.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is damaged, or of another kind.</exception>
    /// <exception cref="ArgumentException">It does not know the class, or knows several and none is named.</exception>
    /// <exception cref="NativeRuntimeException">What computes it is not there.</exception>
    IInspectionModel Load(string path, string? className = null);
}
