using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>One file a cell, so that a run that was stopped, or killed, goes on where it was. Files appear whole or not at all.</summary>
internal sealed class CellStore
{
    // Three of them and the numbers stay below the 255 bytes that a name may have.
    private const int LongestPart = 70;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
    };

    // A cell is written in an instant: what is unfinished after this was left by a process that was killed.
    private static readonly TimeSpan Abandoned = TimeSpan.FromMinutes(1);

    private readonly string? folder;

    /// <summary>Sweeps what killed processes left.</summary>
    /// <param name="folder">Made where there is none; null: nothing is kept.</param>
    public CellStore(string? folder)
    {
        this.folder = folder;
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
            foreach (var file in Directory.GetFiles(folder, "*~*.json.*.tmp")
                .Where(file => DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > Abandoned))
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>The result of an earlier run with the same settings; null: there is none.</summary>
    /// <param name="cell">Data set, product, shots and draw.</param>
    /// <param name="variant">What an ablation changed; empty: nothing.</param>
    /// <param name="settings">What <see cref="CellSettings"/> says.</param>
    public FewShotCell? Find(FewShotCell cell, string variant, string settings)
    {
        if (folder is null || PathOf(cell, variant) is not { } path || !File.Exists(path))
        {
            return null;
        }

        try
        {
            var stored = JsonSerializer.Deserialize<Stored>(File.ReadAllText(path), Json);
            return stored?.Settings == settings ? stored.Result : null;
        }
        catch (JsonException)
        {
            // Not one of ours, or of another version: it is computed anew and replaced.
            return null;
        }
    }

    public void Save(FewShotCell cell, string variant, string settings)
    {
        if (folder is not null)
        {
            WholeFile.Write(PathOf(cell, variant), stream => JsonSerializer.Serialize(stream, new Stored(settings, cell), Json));
        }
    }

    private string PathOf(FewShotCell cell, string variant)
    {
        var changed = variant.Length == 0 ? "" : "~" + Plain(variant);
        var name = FormattableString.Invariant($"{Plain(cell.Dataset)}~{Plain(cell.Class)}~{cell.Shots}~{cell.Seed}{changed}.json");
        return Path.Combine(folder!, name);
    }

    /// <summary>A name that every file system takes, different for different names.</summary>
    private static string Plain(string name)
    {
        var plain = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? $"{c}" : $"%{(int)c:x4}"));
        return plain.Length <= LongestPart
            ? plain
            : $"{plain[..(LongestPart - 33)]}+{Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(name.AsSpan())).AsSpan(0, 16))}";
    }

    private sealed record Stored(string Settings, FewShotCell Result);
}
