namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>
/// Versions of products' models, of which at most one a product is active: that one is served. <see cref="FolderModelRegistry"/> keeps them in
/// a folder; a database may take its place.
/// </summary>
/// <remarks>
/// Thread-safe, and safe between processes. Names of products and versions have 1 to 64 letters, digits, '.', '-' or '_', neither first nor
/// last a dot; others are an <see cref="ArgumentException"/>. A version that is asked for and not there is a
/// <see cref="KeyNotFoundException"/>.
/// </remarks>
public interface IModelRegistry
{
    /// <summary>Products that have a version, by name.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    Task<IReadOnlyList<string>> ListProductsAsync(CancellationToken cancellationToken = default);

    /// <summary>A product's versions, oldest first; none where it is not known.</summary>
    /// <param name="product">The product.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ModelFormatException">What was recorded of one is damaged.</exception>
    Task<IReadOnlyList<ModelVersion>> ListAsync(string product, CancellationToken cancellationToken = default);

    /// <summary>The version that is to be served; null: none is.</summary>
    /// <param name="product">The product.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ModelFormatException">What was recorded of it is damaged.</exception>
    Task<ModelVersion?> GetActiveAsync(string product, CancellationToken cancellationToken = default);

    /// <summary>
    /// Copies a model's file into the registry as a new version, whole or not at all; where an exported model's weights lie beside it
    /// (".data"), with them. It is not active by that.
    /// </summary>
    /// <param name="product">The product.</param>
    /// <param name="modelPath">The file.</param>
    /// <param name="notes">Who, from which photographs, why.</param>
    /// <param name="cancellationToken">Ends it; nothing is left of the version.</param>
    /// <exception cref="IOException">The file cannot be read, or the registry not written.</exception>
    Task<ModelVersion> PublishAsync(string product, string modelPath, ModelNotes notes, CancellationToken cancellationToken = default);

    /// <summary>Makes a version the one that is served. One that is active already stays so.</summary>
    /// <param name="product">The product.</param>
    /// <param name="version">The version's name.</param>
    /// <param name="by">Who decided it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ModelFormatException">A file of it is not what was recorded.</exception>
    Task ActivateAsync(string product, string version, string by, CancellationToken cancellationToken = default);

    /// <summary>Makes no version the served one: the product is unloaded.</summary>
    /// <param name="product">The product.</param>
    /// <param name="by">Who decided it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task DeactivateAsync(string product, string by, CancellationToken cancellationToken = default);

    /// <summary>Goes back to the version that was active before the one that is, of those that are still there; again, to the one before.</summary>
    /// <param name="product">The product.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The version that is active now.</returns>
    /// <exception cref="InvalidOperationException">None was active before.</exception>
    /// <exception cref="ModelFormatException">A file of it is not what was recorded.</exception>
    Task<ModelVersion> RollBackAsync(string product, CancellationToken cancellationToken = default);

    /// <summary>Deletes a version that is not active.</summary>
    /// <param name="product">The product.</param>
    /// <param name="version">The version's name.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">It is active.</exception>
    Task DeleteAsync(string product, string version, CancellationToken cancellationToken = default);

    /// <summary>The path of a version's model, to be loaded from: every file of it was held against its hash.</summary>
    /// <param name="version">The version.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ModelFormatException">A file of it is not what was recorded.</exception>
    Task<string> FetchAsync(ModelVersion version, CancellationToken cancellationToken = default);
}
