using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Microsoft.ML.KagPrompt.Numerics;
using AssemblyDefinition = Mono.Cecil.AssemblyDefinition;
using TypeDefinition = Mono.Cecil.TypeDefinition;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

/// <summary>
/// The folders of the core are rooms: each uses the ones above it in this list, never one below (docs/explanation/architecture.md).
/// </summary>
public class RoomOrderTests
{
    private const string Core = "Microsoft.ML.KagPrompt.Core";

    private static readonly string[] Rooms =
    [
        "Diagnostics", "Numerics", "Imaging", "Checkpoints", "Onnx", "Text", "Metrics", "Datasets", "Backbones", "Synthesis",
        "Methods/Common", "Methods", "Methods/Kag", "Methods/PatchCore", "Methods/Spade", "Methods/WinClip", "Methods/AprilGan",
        "Methods/AnomalyGpt", "Methods/PromptAd", "Methods/AnomalyDino", "Methods/SubspaceAd", "Methods/Rad",
        "Calibration", "Model", "Fitting", "Evaluation",
    ];

    [Fact]
    public void Rooms_UseOnlyTheOnesAbove()
    {
        var (types, folders) = Read();
        var wrong = new List<string>();
        foreach (var type in types)
        {
            var room = RoomOf(type, folders);
            foreach (var used in TypeUses.Of(type))
            {
                if (RoomOf(used, folders) is { } other && room is not null && Array.IndexOf(Rooms, other) > Array.IndexOf(Rooms, room))
                {
                    wrong.Add($"{room}: {Outermost(type).FullName} uses {used.FullName} of {other}");
                }
            }
        }

        wrong.Distinct().Should().BeEmpty("a room uses the rooms above it alone");
    }

    [Fact]
    public void EveryType_LiesInARoom()
    {
        var (types, folders) = Read();
        var homeless = types.Where(type => folders.ContainsKey(RowOf(Outermost(type))) && RoomOf(type, folders) is null)
            .Select(type => Outermost(type).FullName).Distinct();
        homeless.Should().BeEmpty("a new folder has a place in the order of rooms");
        folders.Values.Select(RoomOf).OfType<string>().Distinct()
            .Should().HaveCountGreaterThan(12, "the symbols tell where types were written");
    }

    private static (TypeDefinition[] Types, IReadOnlyDictionary<int, string> Folders) Read()
    {
        var path = typeof(KagPromptModel).Assembly.Location;
        using var image = new PEReader(File.OpenRead(path));
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(path, ".pdb")));
        var folders = SourceFolders.Of(image.GetMetadataReader(), symbols.GetMetadataReader(), Core);
        return ([.. AssemblyDefinition.ReadAssembly(path).MainModule.GetTypes()], folders);
    }

    private static string? RoomOf(TypeDefinition type, IReadOnlyDictionary<int, string> folders)
        => folders.TryGetValue(RowOf(Outermost(type)), out var folder) ? RoomOf(folder) : null;

    /// <summary>The longest room that a folder lies in.</summary>
    private static string? RoomOf(string folder)
        => Rooms.Where(room => folder == room || folder.StartsWith(room + "/", StringComparison.Ordinal)).MaxBy(room => room.Length);

    private static int RowOf(TypeDefinition type) => (int)type.MetadataToken.RID;

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}
