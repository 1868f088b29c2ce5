using System.Globalization;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Hosting.Registry;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>
/// Versions of models in a folder that several processes may share. A version appears whole by the renaming of its folder; which one is
/// active, by the renaming of a small file. A process that is killed at any moment leaves all versions and the active one as they were.
/// </summary>
/// <remarks>Thread-safe, and safe between processes of one machine. On a network's file system only where it has locks.</remarks>
public sealed class FolderModelRegistry : IModelRegistry
{
    private const int MostActivationsKept = 100;
    private const int DigitsOfHash = 8;

    private readonly FolderLayout layout;
    private readonly FolderRecords records;
    private readonly TimeProvider time;
    private volatile bool wasThere;

    /// <summary>Opens a registry.</summary>
    /// <param name="folder">Its folder; it is made with the first version.</param>
    /// <param name="time">The clock that dates versions; null: the system's.</param>
    public FolderModelRegistry(string folder, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (layout, this.time) = (new(folder), time ?? TimeProvider.System);
        records = new(layout);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> ListProductsAsync(CancellationToken cancellationToken = default)
        => Task.Run<IReadOnlyList<string>>(() =>
        {
            RequireRoot();
            return [.. FolderLayout.Names(layout.Root).Where(product => FolderLayout.Names(layout.Product(product)).Any())];
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ModelVersion>> ListAsync(string product, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        // One that is deleted meanwhile is left out.
        return Task.Run<IReadOnlyList<ModelVersion>>(() => [.. FolderLayout.Names(layout.Product(product))
            .Select(version => records.Find(product, version)).OfType<ModelVersion>()
            .OrderBy(version => version.PublishedAt).ThenBy(version => version.Id, StringComparer.Ordinal)], cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ModelVersion?> GetActiveAsync(string product, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        return Task.Run<ModelVersion?>(() =>
        {
            RequireRoot();
            var (active, seen) = (records.ActivationsOf(product).Active, (string?)null);
            while (active is not null && active != seen)
            {
                if (records.Find(product, active) is { } version)
                {
                    return version;
                }

                // Another one may have been activated, and this one deleted, since it was read: look once more.
                (active, seen) = (records.ActivationsOf(product).Active, active);
            }

            return active is null ? null
                : throw new ModelFormatException($"Version '{active}' of '{product}' is active, but its folder is gone. Activate another "
                    + "one.");
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ModelVersion> PublishAsync(string product, string modelPath, ModelNotes notes,
        CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        ArgumentNullException.ThrowIfNull(notes);
        if (Path.GetFileName(modelPath) == FolderLayout.Record)
        {
            throw new ArgumentException($"modelPath: expected a model, got '{modelPath}', which is called as the registry's own records.",
                nameof(modelPath));
        }

        Directory.CreateDirectory(layout.Product(product));
        layout.Tidy(product, time.GetUtcNow());
        var draft = layout.NewDraft(product);
        try
        {
            Directory.CreateDirectory(draft);
            var files = new List<RecordedFile> { await CopyAsync(modelPath, draft, cancellationToken).ConfigureAwait(false) };
            if (File.Exists(modelPath + ".data"))
            {
                files.Add(await CopyAsync(modelPath + ".data", draft, cancellationToken).ConfigureAwait(false));
            }

            return Finish(product, draft, files, notes);
        }
        finally
        {
            if (Directory.Exists(draft))
            {
                Directory.Delete(draft, recursive: true);
            }
        }
    }

    /// <inheritdoc/>
    public async Task ActivateAsync(string product, string version, string by, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        SafeName.Require(version, nameof(version));
        ArgumentNullException.ThrowIfNull(by);
        using var held = await LockAsync(product, version, cancellationToken).ConfigureAwait(false);
        await FetchAsync(records.VersionOf(product, version), cancellationToken).ConfigureAwait(false);
        Activate(product, records.ActivationsOf(product).History, version, by);
    }

    /// <inheritdoc/>
    public async Task DeactivateAsync(string product, string by, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        ArgumentNullException.ThrowIfNull(by);
        using var held = await LockAsync(product, null, cancellationToken).ConfigureAwait(false);
        Activate(product, records.ActivationsOf(product).History, null, by);
    }

    /// <inheritdoc/>
    public async Task<ModelVersion> RollBackAsync(string product, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        using var held = await LockAsync(product, null, cancellationToken).ConfigureAwait(false);
        var activations = records.ActivationsOf(product);
        var history = activations.History;
        for (var last = history.Count - 2; last >= 0; last--)
        {
            if (history[last].Version is { } before && before != activations.Active && records.Find(product, before) is { } version)
            {
                await FetchAsync(version, cancellationToken).ConfigureAwait(false);
                records.Write(product, [.. history.Take(last + 1)]);
                return version;
            }
        }

        throw new InvalidOperationException($"Product '{product}': expected a version that was active before, got none that is still "
            + "there. Activate one by name.");
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string product, string version, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        SafeName.Require(version, nameof(version));
        using var held = await LockAsync(product, version, cancellationToken).ConfigureAwait(false);
        if (records.ActivationsOf(product).Active == version)
        {
            throw new InvalidOperationException($"Version '{version}' of '{product}' is active. Activate another one first.");
        }

        var folder = layout.Version(product, version);
        if (!Directory.Exists(folder))
        {
            throw FolderRecords.NotThere(product, version);
        }

        // Out of sight at once; what is deleted piece by piece is no version any more.
        var gone = layout.NewDeleted(product);
        Directory.Move(folder, gone);
        DurableFolder.Flush(layout.Product(product));
        layout.Tidy(product, time.GetUtcNow());
    }

    /// <inheritdoc/>
    public Task<string> FetchAsync(ModelVersion version, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(version);
        SafeName.Require(version.Product, nameof(version));
        SafeName.Require(version.Id, nameof(version));
        return Task.Run(() =>
        {
            var folder = layout.Version(version.Product, version.Id);
            foreach (var file in version.Files)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var path = Path.Combine(folder, Path.GetFileName(file.Name));
                var got = File.Exists(path) ? RecordedFile.Read(path).Sha256 : "no file";
                if (!string.Equals(got, file.Sha256, StringComparison.Ordinal))
                {
                    throw new ModelFormatException($"'{path}' is not what was published: expected SHA-256 {file.Sha256}, got {got}. "
                        + "Roll back, and publish the model again.");
                }
            }

            return Path.Combine(folder, Path.GetFileName(version.Files[0].Name));
        }, cancellationToken);
    }

    /// <summary>A share that went away has no products to the system: that is no reason to serve none.</summary>
    private void RequireRoot()
    {
        if (Directory.Exists(layout.Root))
        {
            wasThere = true;
        }
        else if (wasThere)
        {
            throw new DirectoryNotFoundException($"The registry's folder '{layout.Root}' was there and cannot be found now. "
                + "Bring it back; what is served goes on.");
        }
    }

    private static async Task<RecordedFile> CopyAsync(string path, string folder, CancellationToken cancellation)
    {
        var copy = Path.Combine(folder, Path.GetFileName(path));
        using (var from = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.Asynchronous))
        using (var to = new FileStream(copy, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20, FileOptions.Asynchronous))
        {
            await from.CopyToAsync(to, cancellation).ConfigureAwait(false);
            to.Flush(flushToDisk: true);
        }

        return RecordedFile.Read(copy);
    }

    /// <summary>Records a version in its draft, which then takes its name.</summary>
    private ModelVersion Finish(string product, string draft, IReadOnlyList<RecordedFile> files, ModelNotes notes)
    {
        var now = time.GetUtcNow();
        var id = string.Create(CultureInfo.InvariantCulture, $"{now.UtcDateTime:yyyyMMdd-HHmmss}-{files[0].Sha256[..DigitsOfHash]}");
        for (var again = 1; ; again++)
        {
            var version = new ModelVersion
            {
                Product = product,
                Id = again == 1 ? id : string.Create(CultureInfo.InvariantCulture, $"{id}-{again}"),
                Files = files,
                PublishedAt = now,
                Notes = notes,
            };
            RegistryJson.Write(Path.Combine(draft, FolderLayout.Record), version, RegistryJson.Default.ModelVersion);
            try
            {
                Directory.Move(draft, layout.Version(product, version.Id));
                DurableFolder.Flush(layout.Product(product));
                return version;
            }
            catch (IOException) when (Directory.Exists(layout.Version(product, version.Id)))
            {
                // The same model in the same second, by this process or another.
            }
        }
    }

    private void Activate(string product, IReadOnlyList<Activation> history, string? version, string by)
    {
        if (history.LastOrDefault()?.Version != version)
        {
            records.Write(product, [.. history.TakeLast(MostActivationsKept - 1), new(version, time.GetUtcNow(), by)]);
        }
    }

    private async Task<IDisposable> LockAsync(string product, string? version, CancellationToken cancellation)
        => Directory.Exists(layout.Product(product)) ? await FolderLock.TakeAsync(layout.Lock(product), cancellation).ConfigureAwait(false)
            : throw FolderRecords.NotThere(product, version);
}
