using System.IO.MemoryMappedFiles;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Where a child stands, in a file that outlives it: it may be killed, or end itself, at any moment.</summary>
internal sealed class Tally : IDisposable
{
    private const int Fields = 8;

    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;

    public Tally(string path)
    {
        file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, Fields * sizeof(long));
        view = file.CreateViewAccessor();
    }

    /// <summary>The mutation under way.</summary>
    public long Current { get => view.ReadInt64(0); set => view.Write(0, value); }

    /// <summary>Failures that are not as promised.</summary>
    public long Escaped { get => view.ReadInt64(8); set => view.Write(8, value); }

    /// <summary>Readings that took too long.</summary>
    public long Slow { get => view.ReadInt64(16); set => view.Write(16, value); }

    /// <summary>Readings that took too much memory.</summary>
    public long OverMemory { get => view.ReadInt64(24); set => view.Write(24, value); }

    public void Dispose()
    {
        view.Dispose();
        file.Dispose();
    }
}
