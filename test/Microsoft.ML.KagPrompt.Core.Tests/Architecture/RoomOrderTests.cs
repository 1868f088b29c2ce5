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
        var (types, files) = Read();
        var wrong = new List<string>();
        foreach (var type in types)
        {
            var room = RoomOf(type, files);
            foreach (var used in TypeUses.TypesUsedBy(type))
            {
                if (RoomOf(used, files) is { } other && room is not null && Array.IndexOf(Rooms, other) > Array.IndexOf(Rooms, room))
                {
                    wrong.Add($"{files[KeyOf(Outermost(type))]}: {Outermost(type).FullName} uses {used.FullName} of {other}");
                }
            }
        }

        wrong.Distinct().Should().BeEmpty("a room uses the rooms above it alone");
    }

    [Fact]
    public void EveryType_LiesInARoom()
    {
        var (types, files) = Read();
        var homeless = types.Where(type => files.ContainsKey(KeyOf(Outermost(type))) && RoomOf(type, files) is null)
            .Select(type => Outermost(type).FullName).Distinct();
        homeless.Should().BeEmpty("a new folder has a place in the order of rooms");
        files.Values.Select(RoomOf).OfType<string>().Distinct()
            .Should().HaveCountGreaterThan(12, "the symbols tell where types were written");
    }

    [Fact]
    public void Primitives_AreUsedByTheCoresRooms()
    {
        var (types, files) = Read();
        types.Where(type => type.Module.Name.EndsWith("Core.dll", StringComparison.Ordinal)).SelectMany(TypeUses.TypesUsedBy)
            .Where(used => used.Module.Name.EndsWith("Primitives.dll", StringComparison.Ordinal)).Select(used => RoomOf(used, files))
            .OfType<string>().Distinct()
            .Should().HaveCountGreaterThan(4, "uses across the two assemblies are held to the order, too");
    }

    private static (TypeDefinition[] Types, IReadOnlyDictionary<(string Assembly, int Row), string> Files) Read()
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        var (types, files) = (new List<TypeDefinition>(), new Dictionary<(string, int), string>());
        foreach (var path in Assemblies.Select(type => type.Assembly.Location))
        {
            using var image = new PEReader(File.OpenRead(path));
            using var symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(path, ".pdb")));
            var project = Path.GetFileNameWithoutExtension(path);
            foreach (var (row, file) in SourceFiles.ByRow(image.GetMetadataReader(), symbols.GetMetadataReader(), project))
            {
                files.Add((project + ".dll", row), file);
            }

            types.AddRange(AssemblyDefinition.ReadAssembly(path, new() { AssemblyResolver = resolver }).MainModule.GetTypes());
        }

        return ([.. types], files);
    }

    private static string? RoomOf(TypeDefinition type, IReadOnlyDictionary<(string Assembly, int Row), string> files)
        => files.TryGetValue(KeyOf(Outermost(type)), out var file) ? RoomOf(file) : null;

    /// <summary>The longest room that a file lies in.</summary>
    private static string? RoomOf(string file)
        => Rooms.Where(room => file.StartsWith(room + "/", StringComparison.Ordinal)).MaxBy(room => room.Length);

    private static (string Assembly, int Row) KeyOf(TypeDefinition type) => (type.Module.Name, (int)type.MetadataToken.RID);

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}
