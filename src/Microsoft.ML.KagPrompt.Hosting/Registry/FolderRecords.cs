namespace Microsoft.ML.KagPrompt.Hosting.Registry;

/// <summary>What a folder's registry has written down of versions, and which are active.</summary>
internal sealed class FolderRecords(FolderLayout layout)
{
    public static KeyNotFoundException NotThere(string product, string? version)
        => new($"The registry has no {(version is null ? "" : $"version '{version}' of ")}product '{product}'. List what there is.");

    /// <summary>A version that must be there.</summary>
    /// <exception cref="KeyNotFoundException">It is not.</exception>
    /// <exception cref="ModelFormatException">Its record is damaged.</exception>
    public ModelVersion VersionOf(string product, string version) => Find(product, version) ?? throw NotThere(product, version);

    /// <summary>A version; null: it is not there, or not any more.</summary>
    /// <exception cref="ModelFormatException">Its record is damaged.</exception>
    public ModelVersion? Find(string product, string version)
    {
        var path = layout.RecordOf(product, version);
        ModelVersion read;
        try
        {
            read = RegistryJson.Read(path, RegistryJson.Default.ModelVersion);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return !Directory.Exists(layout.Version(product, version)) ? null
                : throw new ModelFormatException($"'{layout.Version(product, version)}' has no '{FolderLayout.Record}': it is no version. "
                    + "Take it away.");
        }

        return read.Product == product && read.Id == version && read.Files.Count > 0 && read.Files.All(file => file is not null) ? read
            : throw new ModelFormatException($"'{path}': expected version '{version}' of '{product}' with its files, got '{read.Id}' of "
                + $"'{read.Product}' with {read.Files.Count}. Versions are not copied by hand: publish the model.");
    }

    /// <summary>What was active; nothing where none was.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public Activations ActivationsOf(string product)
    {
        var path = layout.Active(product);
        Activations read;
        try
        {
            read = RegistryJson.Read(path, RegistryJson.Default.Activations);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            read = new();
        }

        return read.History.All(one => one is not null && (one.Version is null || SafeName.Is(one.Version))) ? read
            : throw new ModelFormatException($"'{path}': expected names of versions, got others. Restore the file.");
    }

    /// <summary>Replaces what was active; by a process that has the product's lock.</summary>
    public void Write(string product, IReadOnlyList<Activation> history)
        => RegistryJson.Write(layout.Active(product), new Activations { History = history }, RegistryJson.Default.Activations);
}
