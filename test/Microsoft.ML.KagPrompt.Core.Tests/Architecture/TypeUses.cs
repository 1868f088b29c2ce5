using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

/// <summary>
/// Which types a type names: in its base types, constraints, fields, signatures and code, where the signatures of what it calls count, too.
/// Attributes do not: a registration is one.
/// </summary>
internal static class TypeUses
{
    public static IEnumerable<TypeDefinition> TypesUsedBy(TypeDefinition type)
        => References(type).SelectMany(Parts).Where(reference => reference.Scope == type.Scope || IsOurs(reference.Scope))
            .Select(reference => reference.Resolve()).OfType<TypeDefinition>().Distinct();

    private static bool IsOurs(IMetadataScope scope)
        => scope is AssemblyNameReference { Name: var name } && name.StartsWith("Microsoft.ML.KagPrompt.", StringComparison.Ordinal);

    private static IEnumerable<TypeReference> References(TypeDefinition type)
    {
        IEnumerable<TypeReference?> named =
        [
            type.BaseType,
            .. type.Interfaces.Select(implemented => implemented.InterfaceType),
            .. Constraints(type),
            .. type.Fields.Select(field => field.FieldType),
            .. type.Methods.SelectMany(InMethod),
        ];
        return named.OfType<TypeReference>();
    }

    private static IEnumerable<TypeReference?> InMethod(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. Constraints(method),
        .. method.HasBody ? InBody(method.Body) : [],
    ];

    private static IEnumerable<TypeReference?> InBody(MethodBody body) =>
    [
        .. body.Variables.Select(variable => variable.VariableType),
        .. body.ExceptionHandlers.Select(handler => handler.CatchType),
        .. body.Instructions.SelectMany(InInstruction),
    ];

    private static IEnumerable<TypeReference> Constraints(IGenericParameterProvider generic)
        => generic.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType);

    private static IEnumerable<TypeReference?> InInstruction(Instruction instruction) => instruction.Operand switch
    {
        MethodReference called =>
        [
            called.DeclaringType, called.ReturnType, .. called.Parameters.Select(parameter => parameter.ParameterType),
            .. (called as GenericInstanceMethod)?.GenericArguments ?? [],
        ],
        FieldReference field => [field.DeclaringType, field.FieldType],
        TypeReference named => [named],
        _ => [],
    };

    /// <summary>The element of an array, the arguments of a generic type, what a pointer to a function names.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference reference) => reference switch
    {
        FunctionPointerType function =>
            [.. Parts(function.ReturnType), .. function.Parameters.SelectMany(parameter => Parts(parameter.ParameterType))],
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification specified => Parts(specified.ElementType),
        GenericParameter => [],
        _ => [reference],
    };
}
