using System.Globalization;
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
    private readonly TimeProvider time;

    /// <summary>Opens a registry.</summary>
    /// <param name="folder">Its folder; it is made with the first version.</param>
    /// <param name="time">The clock that dates versions; null: the system's.</param>
    public FolderModelRegistry(string folder, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (layout, this.time) = (new(folder), time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> ListProductsAsync(CancellationToken cancellationToken = default)
        => Task.Run<IReadOnlyList<string>>(() => [.. FolderLayout.Names(layout.Root)
            .Where(product => FolderLayout.Names(layout.Product(product)).Any())], cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ModelVersion>> ListAsync(string product, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        return Task.Run<IReadOnlyList<ModelVersion>>(() => [.. FolderLayout.Names(layout.Product(product))
            .Select(version => Read(product, version)).OrderBy(version => version.PublishedAt).ThenBy(version => version.Id, StringComparer.Ordinal)],
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ModelVersion?> GetActiveAsync(string product, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        return Task.Run(() => ReadActivations(product).Active switch
        {
            null => null,
            var active when Directory.Exists(layout.Version(product, active)) => Read(product, active),
            var active => throw new ModelFormatException($"Version '{active}' of '{product}' is active, but its folder is gone. Activate another "
                + "one."),
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ModelVersion> PublishAsync(string product, string modelPath, ModelNotes notes, CancellationToken cancellationToken = default)
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
        await FetchAsync(Read(product, version), cancellationToken).ConfigureAwait(false);
        Activate(product, ReadActivations(product).History, version, by);
    }

    /// <inheritdoc/>
    public async Task DeactivateAsync(string product, string by, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        ArgumentNullException.ThrowIfNull(by);
        using var held = await LockAsync(product, "", cancellationToken).ConfigureAwait(false);
        Activate(product, ReadActivations(product).History, null, by);
    }

    /// <inheritdoc/>
    public async Task<ModelVersion> RollBackAsync(string product, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        using var held = await LockAsync(product, "", cancellationToken).ConfigureAwait(false);
        var history = ReadActivations(product).History;
        for (var last = history.Count - 2; last >= 0; last--)
        {
            if (history[last].Version is { } before && File.Exists(layout.RecordOf(product, before)))
            {
                var version = Read(product, before);
                await FetchAsync(version, cancellationToken).ConfigureAwait(false);
                Write(product, [.. history.Take(last + 1)]);
                return version;
            }
        }

        throw new InvalidOperationException($"Product '{product}': expected a version that was active before, got none that is still there. "
            + "Activate one by name.");
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string product, string version, CancellationToken cancellationToken = default)
    {
        SafeName.Require(product, nameof(product));
        SafeName.Require(version, nameof(version));
        using var held = await LockAsync(product, version, cancellationToken).ConfigureAwait(false);
        if (ReadActivations(product).Active == version)
        {
            throw new InvalidOperationException($"Version '{version}' of '{product}' is active. Activate another one first.");
        }

        var folder = layout.Version(product, version);
        if (!Directory.Exists(folder))
        {
            throw NotThere(product, version);
        }

        // Out of sight at once; what is deleted piece by piece is no version any more.
        var gone = layout.NewDeleted(product);
        Directory.Move(folder, gone);
        Directory.Delete(gone, recursive: true);
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
                var got = File.Exists(path) ? RecordedFile.Of(path).Sha256 : "no file";
                if (!string.Equals(got, file.Sha256, StringComparison.OrdinalIgnoreCase))
                {
                    throw new ModelFormatException($"'{path}' is not what was published: expected SHA-256 {file.Sha256}, got {got}. "
                        + "Roll back, and publish the model again.");
                }
            }

            return Path.Combine(folder, Path.GetFileName(version.Files[0].Name));
        }, cancellationToken);
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

        return RecordedFile.Of(copy);
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
            Write(product, [.. history.TakeLast(MostActivationsKept - 1), new(version, time.GetUtcNow(), by)]);
        }
    }

    private void Write(string product, IReadOnlyList<Activation> history)
        => RegistryJson.Write(layout.Active(product), new Activations { History = history }, RegistryJson.Default.Activations);

    private Activations ReadActivations(string product)
    {
        var path = layout.Active(product);
        var read = File.Exists(path) ? RegistryJson.Read(path, RegistryJson.Default.Activations) : new();
        return read.History.All(one => one is not null && (one.Version is null || SafeName.Is(one.Version))) ? read
            : throw new ModelFormatException($"'{path}': expected names of versions, got others. Restore the file.");
    }

    private ModelVersion Read(string product, string version)
    {
        var path = layout.RecordOf(product, version);
        if (!File.Exists(path))
        {
            throw Directory.Exists(layout.Version(product, version))
                ? new ModelFormatException($"'{layout.Version(product, version)}' has no '{FolderLayout.Record}': it is no version. Take it away.")
                : NotThere(product, version);
        }

        var read = RegistryJson.Read(path, RegistryJson.Default.ModelVersion);
        return read.Product == product && read.Id == version && read.Files.Count > 0 && read.Files.All(file => file is not null) ? read
            : throw new ModelFormatException($"'{path}': expected version '{version}' of '{product}' with its files, got '{read.Id}' of "
                + $"'{read.Product}' with {read.Files.Count}. Versions are not copied by hand: publish the model.");
    }

    private async Task<IDisposable> LockAsync(string product, string version, CancellationToken cancellation)
        => Directory.Exists(layout.Product(product)) ? await FolderLock.TakeAsync(layout.Lock(product), cancellation).ConfigureAwait(false)
            : throw NotThere(product, version);

    private static KeyNotFoundException NotThere(string product, string version)
        => new($"The registry has no version '{version}' of product '{product}'. List what there is.");
}
