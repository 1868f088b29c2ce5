using System.Reflection;
using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt;

/// <summary>The methods there are, by the names that saved models, results and the command line use.</summary>
/// <remarks>Thread-safe.</remarks>
public static class InspectionMethods
{
    // What is registered on the options' base type is the table: there is no second one to forget.
    private static readonly IReadOnlyDictionary<string, Type> Types = typeof(MethodOptions).GetCustomAttributes<JsonDerivedTypeAttribute>()
        .ToDictionary(entry => (string)entry.TypeDiscriminator!, entry => entry.DerivedType);

    /// <summary>All names, KAG-prompt's ("kag") first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Types.Keys];

    /// <summary>A method's options as they are where nothing is chosen.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no such method.</exception>
    public static MethodOptions Default(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Types.TryGetValue(name, out var type) ? (MethodOptions)Activator.CreateInstance(type)!
            : throw new ArgumentException(
                $"Method: expected one of {string.Join(", ", Names.Select(known => $"'{known}'"))}, got '{name}'.", nameof(name));
    }

    /// <summary>The name of the method that these are the options of.</summary>
    public static string NameOf(MethodOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Types.First(entry => entry.Value == options.GetType()).Key;
    }
}
