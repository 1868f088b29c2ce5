using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

/// <summary>The file below its project in which each type of an assembly was written, read off the debugging symbols.</summary>
internal static class SourceFiles
{
    /// <summary>What compilers note for types without code: the documents of a type definition.</summary>
    private static readonly Guid TypeDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    /// <summary>Files by row of the type in the assembly's metadata, with forward slashes.</summary>
    public static IReadOnlyDictionary<int, string> ByRow(MetadataReader assembly, MetadataReader symbols, string project)
    {
        var files = new Dictionary<int, string>();
        foreach (var handle in assembly.TypeDefinitions)
        {
            if (Document(assembly, symbols, handle) is { } document && Below(document, project) is { } file)
            {
                files.Add(MetadataTokens.GetRowNumber(handle), file);
            }
        }

        return files;
    }

    private static string? Document(MetadataReader assembly, MetadataReader symbols, TypeDefinitionHandle handle)
    {
        foreach (var method in assembly.GetTypeDefinition(handle).GetMethods())
        {
            var information = symbols.GetMethodDebugInformation(method.ToDebugInformationHandle());
            if (!information.Document.IsNil)
            {
                return Name(symbols, information.Document);
            }
        }

        foreach (var note in symbols.GetCustomDebugInformation(handle).Select(symbols.GetCustomDebugInformation))
        {
            if (symbols.GetGuid(note.Kind) == TypeDocuments)
            {
                var blob = symbols.GetBlobReader(note.Value);
                return Name(symbols, MetadataTokens.DocumentHandle(blob.ReadCompressedInteger()));
            }
        }

        return null;
    }

    private static string Name(MetadataReader symbols, DocumentHandle handle)
        => symbols.GetString(symbols.GetDocument(handle).Name).Replace('\\', '/');

    private static string? Below(string document, string project)
    {
        var at = document.LastIndexOf($"/{project}/", StringComparison.Ordinal);
        return at < 0 || document.Contains("/obj/", StringComparison.Ordinal) ? null : document[(at + project.Length + 2)..];
    }
}
