using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Base of every error this library raises about data it was given: files, images, models.</summary>
/// <remarks>Wrong arguments raise <see cref="ArgumentException"/>s instead.</remarks>
public class KagPromptException : Exception
{
    /// <summary>Creates the error with a message that says what, expected, got and remedy.</summary>
    public KagPromptException(string message) : base(ShownText.Shorten(message)) { }

    /// <summary>Creates the error with its cause.</summary>
    public KagPromptException(string message, Exception? innerException) : base(ShownText.Shorten(message), innerException) { }
}

/// <summary>A weights file is damaged, hostile, or of a format that is not supported.</summary>
public sealed class CheckpointFormatException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public CheckpointFormatException(string message) : base(message) { }

    /// <inheritdoc cref="KagPromptException(string, Exception)"/>
    public CheckpointFormatException(string message, Exception? innerException) : base(message, innerException) { }
}

/// <summary>A weights file is readable but does not hold the tensors the network needs.</summary>
public sealed class CheckpointMismatchException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public CheckpointMismatchException(string message) : base(message) { }
}

/// <summary>An image cannot be read, or cannot be inspected.</summary>
public sealed class ImageReadException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public ImageReadException(string message) : base(message) { }

    /// <inheritdoc cref="KagPromptException(string, Exception)"/>
    public ImageReadException(string message, Exception? innerException) : base(message, innerException) { }
}

/// <summary>A saved model is damaged, or was written by another version of the library.</summary>
public sealed class ModelFormatException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public ModelFormatException(string message) : base(message) { }

    /// <inheritdoc cref="KagPromptException(string, Exception)"/>
    public ModelFormatException(string message, Exception? innerException) : base(message, innerException) { }
}

/// <summary>The networks computed something that is no finite number: there is no verdict, or training cannot go on.</summary>
public sealed class NotFiniteException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public NotFiniteException(string message) : base(message) { }
}

/// <summary>The images given are too few, or none of them is usable, for what was asked.</summary>
public sealed class InsufficientDataException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string)"/>
    public InsufficientDataException(string message) : base(message) { }
}

/// <summary>
/// TorchSharp's native library is not there, or cannot be loaded on this machine: the application lacks a package, or the machine a system
/// library.
/// </summary>
public sealed class NativeRuntimeException : KagPromptException
{
    /// <inheritdoc cref="KagPromptException(string, Exception)"/>
    public NativeRuntimeException(string message, Exception? innerException) : base(message, innerException) { }
}
