using System.IO.Compression;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt.Interop;

/// <summary>
/// The folder a model zip is being loaded from, so that a backbone beside it is found. ML.NET does not hand it on: it is read off the file
/// stream beneath its zip archive. Where that is not possible (a zip loaded from memory, another runtime) there is no such folder, and the
/// other places count.
/// </summary>
internal static class ZipLocation
{
    public static IReadOnlyList<string> FoldersOf(ModelLoadContext context)
    {
        try
        {
            return context.Repository is RepositoryReader { } reader && Archive(reader) is { } archive
                && Beneath(archive) is FileStream { Name: var path } && Path.IsPathFullyQualified(path)
                ? [Path.GetDirectoryName(path)!]
                : [];
        }
        catch (Exception fault) when (fault is MissingFieldException or InvalidCastException or FieldAccessException)
        {
            return [];
        }
    }

    /// <summary>The zip a model is being loaded from; null where it is unknown.</summary>
    public static ZipArchive? ArchiveOf(ModelLoadContext context) => context.Repository is { } reader ? Archive(reader) : null;

    private static ZipArchive? Archive(RepositoryReader reader)
        => reader.GetType().GetField("_archive", BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(reader) as ZipArchive;

    private static Stream Beneath(ZipArchive archive) => StreamOf(archive);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_archiveStream")]
    private static extern ref Stream StreamOf(ZipArchive archive);
}
