using System.Text;
using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>One file a cell, so that a run that was stopped, or killed, goes on where it was. Files appear whole or not at all.</summary>
internal sealed class CellStore(string? folder)
{
    /// <summary>The result of an earlier run with the same settings; null: there is none.</summary>
    /// <param name="dataset">The data set's name.</param>
    /// <param name="className">The product.</param>
    /// <param name="shots">Number of support images.</param>
    /// <param name="seed">Their draw.</param>
    /// <param name="variant">What an ablation changed; empty: nothing.</param>
    /// <param name="fingerprint">The settings.</param>
    public CellResult? Find(string dataset, string className, int shots, int seed, string variant, string fingerprint)
    {
        if (PathOf(dataset, className, shots, seed, variant) is not { } path || !File.Exists(path))
        {
            return null;
        }

        try
        {
            var stored = JsonSerializer.Deserialize<Stored>(File.ReadAllText(path), EvaluationJson.Options);
            return stored?.Settings == fingerprint ? stored.Result : null;
        }
        catch (JsonException)
        {
            // Not one of ours, or of another version: it is computed anew and replaced.
            return null;
        }
    }

    public void Save(CellResult result, string variant, string fingerprint)
    {
        if (PathOf(result.Dataset, result.Class, result.Shots, result.Seed, variant) is { } path)
        {
            Directory.CreateDirectory(folder!);
            AtomicFile.Write(path, JsonSerializer.Serialize(new Stored(fingerprint, result), EvaluationJson.Options));
        }
    }

    private string? PathOf(string dataset, string className, int shots, int seed, string variant)
        => folder is null ? null : Path.Combine(folder, $"{Plain(dataset)}~{Plain(className)}~{shots}~{seed}{(variant.Length == 0 ? "" : "~")}{Plain(variant)}.json");

    /// <summary>A name that every file system takes, different for different names.</summary>
    private static string Plain(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? $"{c}" : $"%{(int)c:x}"));

    private sealed record Stored(string Settings, CellResult Result);
}
