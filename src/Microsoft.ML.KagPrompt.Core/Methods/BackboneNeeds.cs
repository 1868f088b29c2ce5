using Microsoft.ML.KagPrompt.Backbones;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>What methods ask of a backbone beyond patch tokens; what is missing is told before a fit begins.</summary>
internal static class BackboneNeeds
{
    /// <summary>Who has a text tower.</summary>
    public const string WithText = $"'{BackboneSources.Compact}', which is embedded, or a CLIP, OpenCLIP or ImageBind checkpoint's file";

    /// <summary>Refuses a backbone without a text tower.</summary>
    /// <param name="start">What the method starts from.</param>
    /// <param name="method">Its name.</param>
    /// <param name="who">Which backbones serve the method, where it needs more than that.</param>
    /// <exception cref="ArgumentException">It has none.</exception>
    public static void RequireText(this MethodStart start, string method, string who = WithText)
    {
        // Of an initial model the classes' words may be known while its text side is elsewhere.
        if (start.Initial is null && start.Texts is { IsThere: false })
        {
            throw Lacks(method, "a text tower", start.BackboneName, who);
        }
    }

    /// <summary>The backbone as one that has more to give.</summary>
    /// <typeparam name="T">What it must implement.</typeparam>
    /// <param name="start">What the method starts from.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="what">What it needs, with its article: "a transformer whose windows can be encoded alone".</param>
    /// <param name="who">Which backbones have it.</param>
    /// <exception cref="ArgumentException">The backbone has not.</exception>
    public static T Require<T>(this MethodStart start, string method, string what, string who) where T : class
        => start.Sizes.Tower as T ?? throw Lacks(method, what, start.BackboneName, who);

    /// <summary>That a backbone lacks something, and the remedy, in one sentence.</summary>
    public static ArgumentException Lacks(string method, string what, string backbone, string who)
        => new($"Method '{method}' needs {what}, and backbone '{backbone}' has none: name {who} as Backbone.Name.");
}
