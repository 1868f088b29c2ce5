namespace System.Runtime.CompilerServices;

/// <summary>Honoured by the runtime by name: this assembly may use the other's internals.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
