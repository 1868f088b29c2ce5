using Mono.Cecil;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

/// <summary>No way to name a type escapes the order of rooms.</summary>
public class TypeUsesTests
{
    [Fact]
    public void TypesUsedBy_EveryWayToNameAType_FindsIt()
    {
        var sample = AssemblyDefinition.ReadAssembly(typeof(Sample<>).Assembly.Location).MainModule.GetTypes()
            .Single(type => type.Name == typeof(Sample<>).Name);
        TypeUses.TypesUsedBy(sample).Select(type => type.Name).Except([sample.Name]).Should().BeEquivalentTo(
            nameof(Constraint), nameof(MethodConstraint), nameof(Caught), nameof(Called), nameof(Returned), nameof(Taken), nameof(Held));
    }

    private class Constraint;

    private class MethodConstraint;

    private sealed class Caught : Exception;

    private sealed class Returned;

    private sealed class Taken;

    private sealed class Held;

    private static class Called
    {
        public static readonly Held? Field = null;

        public static Returned? Run(Taken? taken) => taken is null ? null : new();
    }

    private static class Sample<T> where T : Constraint
    {
        public static bool Run<TOther>(TOther other) where TOther : MethodConstraint
        {
            try
            {
                return Called.Run(null) is not null && Called.Field is not null;
            }
            catch (Caught)
            {
                return other is not null && typeof(T).IsClass;
            }
        }
    }
}
