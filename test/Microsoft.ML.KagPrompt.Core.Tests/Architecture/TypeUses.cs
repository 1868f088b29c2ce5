using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

/// <summary>Which types a type names: in its base types, fields, signatures and code. Attributes do not count: a registration is one.</summary>
internal static class TypeUses
{
    public static IEnumerable<TypeDefinition> TypesUsedBy(TypeDefinition type)
        => References(type).SelectMany(Parts).Where(reference => reference.Scope == type.Scope || IsOurs(reference.Scope)).Select(reference => reference.Resolve()).OfType<TypeDefinition>().Distinct();

    private static bool IsOurs(IMetadataScope scope)
        => scope is AssemblyNameReference { Name: var name } && name.StartsWith("Microsoft.ML.KagPrompt.", StringComparison.Ordinal);

    private static IEnumerable<TypeReference> References(TypeDefinition type)
    {
        IEnumerable<TypeReference?> named =
        [
            type.BaseType,
            .. type.Interfaces.Select(implemented => implemented.InterfaceType),
            .. type.Fields.Select(field => field.FieldType),
            .. type.Methods.SelectMany(InMethod),
        ];
        return named.OfType<TypeReference>();
    }

    private static IEnumerable<TypeReference?> InMethod(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. method.HasBody ? method.Body.Variables.Select(variable => variable.VariableType).Concat(method.Body.Instructions.SelectMany(InInstruction)) : [],
    ];

    private static IEnumerable<TypeReference?> InInstruction(Instruction instruction) => instruction.Operand switch
    {
        MethodReference called => [called.DeclaringType, .. (called as GenericInstanceMethod)?.GenericArguments ?? []],
        FieldReference field => [field.DeclaringType],
        TypeReference named => [named],
        _ => [],
    };

    /// <summary>The element of an array, the arguments of a generic type.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference reference) => reference switch
    {
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification specified => Parts(specified.ElementType),
        GenericParameter => [],
        _ => [reference],
    };
}
