using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Microsoft.ML.KagPrompt.Numerics;
using AssemblyDefinition = Mono.Cecil.AssemblyDefinition;
using DefaultAssemblyResolver = Mono.Cecil.DefaultAssemblyResolver;
using TypeDefinition = Mono.Cecil.TypeDefinition;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

/// <summary>
/// The folders of the core, and of the part of it that needs no network, are rooms: each uses the ones above it in this list, never one
/// below (docs/explanation/architecture.md).
/// </summary>
public class RoomOrderTests
{
    /// <summary>A type of each assembly, whose folders bear the same rooms' names.</summary>
    private static readonly Type[] Assemblies = [typeof(KagPromptModel), typeof(PixelBuffer)];

    private static readonly string[] Rooms =
    [
        "Diagnostics", "Files", "Numerics", "Imaging", "Checkpoints", "Onnx", "Text", "Metrics", "Datasets", "Backbones", "Synthesis",
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
            foreach (var used in TypeUses.TypesUsedBy(type))
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
        var homeless = types.Where(type => folders.ContainsKey(KeyOf(Outermost(type))) && RoomOf(type, folders) is null)
            .Select(type => Outermost(type).FullName).Distinct();
        homeless.Should().BeEmpty("a new folder has a place in the order of rooms");
        folders.Values.Select(RoomOf).OfType<string>().Distinct()
            .Should().HaveCountGreaterThan(12, "the symbols tell where types were written");
    }

    [Fact]
    public void Primitives_AreUsedByTheCoresRooms()
    {
        var (types, folders) = Read();
        types.Where(type => type.Module.Name.EndsWith("Core.dll", StringComparison.Ordinal)).SelectMany(TypeUses.TypesUsedBy)
            .Where(used => used.Module.Name.EndsWith("Primitives.dll", StringComparison.Ordinal)).Select(used => RoomOf(used, folders))
            .OfType<string>().Distinct()
            .Should().HaveCountGreaterThan(4, "uses across the two assemblies are held to the order, too");
    }

    private static (TypeDefinition[] Types, IReadOnlyDictionary<(string Assembly, int Row), string> Folders) Read()
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        var (types, folders) = (new List<TypeDefinition>(), new Dictionary<(string, int), string>());
        foreach (var path in Assemblies.Select(type => type.Assembly.Location))
        {
            using var image = new PEReader(File.OpenRead(path));
            using var symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(path, ".pdb")));
            var project = Path.GetFileNameWithoutExtension(path);
            foreach (var (row, folder) in SourceFolders.ByRow(image.GetMetadataReader(), symbols.GetMetadataReader(), project))
            {
                folders.Add((project + ".dll", row), folder);
            }

            types.AddRange(AssemblyDefinition.ReadAssembly(path, new() { AssemblyResolver = resolver }).MainModule.GetTypes());
        }

        return ([.. types], folders);
    }

    private static string? RoomOf(TypeDefinition type, IReadOnlyDictionary<(string Assembly, int Row), string> folders)
        => folders.TryGetValue(KeyOf(Outermost(type)), out var folder) ? RoomOf(folder) : null;

    /// <summary>The longest room that a folder lies in.</summary>
    private static string? RoomOf(string folder)
        => Rooms.Where(room => folder == room || folder.StartsWith(room + "/", StringComparison.Ordinal)).MaxBy(room => room.Length);

    private static (string Assembly, int Row) KeyOf(TypeDefinition type) => (type.Module.Name, (int)type.MetadataToken.RID);

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}
