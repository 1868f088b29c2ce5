using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Station.Accounts;

namespace Microsoft.ML.KagPrompt.Station.Teaching;

/// <summary>Makes a model's file the version that is served.</summary>
internal sealed class Publisher(IModelRegistry registry, FactsStore facts, AuditLog audit)
{
    /// <summary>Publishes and activates.</summary>
    /// <returns>The version's name.</returns>
    public async Task<string> PublishAsync(string product, string model, ModelFacts known, string by, string comment,
        CancellationToken stop = default)
    {
        var version = await registry.PublishAsync(product, model, new ModelNotes
        {
            By = by,
            Comment = comment,
            ClassName = product,
            Photographs = [.. known.Photographs.Select(photo => new RecordedFile(photo.Name, photo.Hash))],
        }, stop);
        // Before it is served: its first map is drawn by them.
        facts.Write(product, version.Id, known);
        await registry.ActivateAsync(product, version.Id, by, stop);
        await audit.AddAsync(by, "model published", $"{product} {version.Id}: {comment}", stop);
        return version.Id;
    }

    /// <summary>Back to the version before.</summary>
    public async Task<string> RollBackAsync(string product, string by)
    {
        var version = await registry.RollBackAsync(product);
        await audit.AddAsync(by, "model rolled back", $"{product} {version.Id}");
        return version.Id;
    }

    /// <summary>Whether this can be a product's name, as the registry says.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public Task RequireNameAsync(string product) => registry.ListAsync(product);
}
