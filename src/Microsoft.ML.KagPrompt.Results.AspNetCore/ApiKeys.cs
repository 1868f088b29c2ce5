using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;
using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.ML.KagPrompt.Results.Recording;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore;

/// <summary>
/// API keys in a file, of which only hashes are kept. A file and not a table: keys are asked for while the database is away, too.
/// </summary>
/// <remarks>
/// Thread-safe; several processes may share the file, and each sees at the next request what another changed. A key is 256 random bits: no
/// list of likely ones can be tried, so that one SHA-256 keeps it as well as a slow hash would, and costs a request nothing. (A slow hash
/// protects passwords, which people choose.) Files are written for their owner alone, where the system has such rights.
/// </remarks>
public sealed class ApiKeys
{
    private readonly string path;
    private readonly TimeProvider time;
    private volatile KeyFile? read;

    /// <summary>Keys in a file.</summary>
    /// <param name="path">The file; made with the first key.</param>
    /// <param name="time">The clock; null: the system's.</param>
    public ApiKeys(string path, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        (this.path, this.time) = (Path.GetFullPath(path), time ?? TimeProvider.System);
    }

    /// <summary>Makes a key.</summary>
    /// <param name="name">Whose it is, 1 to 100 characters.</param>
    /// <param name="role">What it lets them do.</param>
    /// <param name="cancellationToken">Ends the waiting for another process that writes the file.</param>
    /// <returns>The key. It is shown this once: nobody can find it again.</returns>
    /// <exception cref="ArgumentException">The name or the role is none.</exception>
    /// <exception cref="ResultStoreException">The file is damaged.</exception>
    public async Task<string> CreateAsync(string name, ApiKeyRole role, CancellationToken cancellationToken = default)
    {
        if (!RecordCheck.IsName(name, RecordCheck.MostOfAName) || !Enum.IsDefined(role))
        {
            throw new ArgumentException($"Name: expected {RecordCheck.Name(RecordCheck.MostOfAName)}, and a role.", nameof(name));
        }

        var key = PresentedKey.New();
        var entry = new KeyEntry(new ApiKeyInfo(key.Id, name, role, time.GetUtcNow(), null), key.Hash);
        await ChangeAsync(entries => [.. entries, entry], cancellationToken).ConfigureAwait(false);
        return key.ToString();
    }

    /// <summary>Refuses a key from now on.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="cancellationToken">Ends the waiting for another process that writes the file.</param>
    /// <returns>Whether there was such a key that was not revoked before.</returns>
    /// <exception cref="ResultStoreException">The file is damaged.</exception>
    public async Task<bool> RevokeAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        var found = false;
        await ChangeAsync(
            entries =>
            {
                found = entries.Any(IsIt);
                return [.. entries.Select(entry => IsIt(entry) ? Revoked(entry) : entry)];
            }, cancellationToken).ConfigureAwait(false);
        return found;

        bool IsIt(KeyEntry entry) => entry.Info.Id == id && entry.Info.Revoked is null;

        KeyEntry Revoked(KeyEntry entry) => entry with { Info = entry.Info with { Revoked = time.GetUtcNow() } };
    }

    /// <summary>All keys, revoked ones too, in the order in which they were made.</summary>
    /// <exception cref="ResultStoreException">The file is damaged.</exception>
    public IReadOnlyList<ApiKeyInfo> List() => [.. Current().Entries.Select(entry => entry.Info)];

    /// <summary>Whose key this is; null: nobody's, or revoked.</summary>
    /// <exception cref="ResultStoreException">The file is damaged.</exception>
    internal ApiKeyInfo? Find(string presented)
    {
        if (PresentedKey.TryParse(presented) is not { } key)
        {
            return null;
        }

        var entry = Current().Entries.FirstOrDefault(each => each.Info.Id == key.Id);
        // Whether the id is known does not show in the time.
        var isRight = key.HasHash(entry?.Hash ?? KeyEntry.HashOfNone);
        return isRight && entry is { Info.Revoked: null } ? entry.Info : null;
    }

    private KeyFile Current() => read is { } last && last.IsCurrent(path) ? last : read = KeyFile.Read(path);

    private async Task ChangeAsync(Func<IReadOnlyList<KeyEntry>, IReadOnlyList<KeyEntry>> change, CancellationToken cancellationToken)
    {
        DurableFolder.Create(Path.GetDirectoryName(path)!);
        await using var held = await FileLock.TakeAsync(path + ".lock", time, cancellationToken).ConfigureAwait(false);
        KeyFile.Write(path, change(KeyFile.Read(path).Entries));
        read = null;
    }
}
