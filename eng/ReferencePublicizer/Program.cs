using Mono.Cecil;

// ReferencePublicizer OUT-DIRECTORY ASSEMBLY...
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: ReferencePublicizer OUT-DIRECTORY ASSEMBLY...");
    return 2;
}

Directory.CreateDirectory(args[0]);
using var resolver = new DefaultAssemblyResolver();
foreach (var folder in args[1..].Select(path => Path.GetDirectoryName(Path.GetFullPath(path))).Distinct())
{
    resolver.AddSearchDirectory(folder);
}

foreach (var path in args[1..])
{
    using var assembly = AssemblyDefinition.ReadAssembly(path, new ReaderParameters { AssemblyResolver = resolver });
    foreach (var type in assembly.MainModule.GetTypes())
    {
        Publicize(type);
    }

    // Written beside and moved, so that two builds at once never see half a file.
    var target = Path.Combine(args[0], Path.GetFileName(path));
    var scratch = $"{target}.{Environment.ProcessId}";
    assembly.Write(scratch);
    File.Move(scratch, target, overwrite: true);
}

return 0;

static void Publicize(TypeDefinition type)
{
    type.Attributes = (type.Attributes & ~TypeAttributes.VisibilityMask) | (type.IsNested ? TypeAttributes.NestedPublic : TypeAttributes.Public);
    var events = type.Events.Select(item => item.Name).ToHashSet();
    foreach (var method in type.Methods.Where(method => !(method.IsPrivate && method.HasOverrides)))
    {
        method.Attributes = (method.Attributes & ~MethodAttributes.MemberAccessMask) | MethodAttributes.Public;
    }

    // An event's field has the event's name: public, the two could not be told apart.
    foreach (var field in type.Fields.Where(field => !events.Contains(field.Name)))
    {
        field.Attributes = (field.Attributes & ~FieldAttributes.FieldAccessMask) | FieldAttributes.Public;
    }
}
