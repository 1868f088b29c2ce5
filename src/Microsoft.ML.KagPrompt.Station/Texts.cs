namespace Microsoft.ML.KagPrompt.Station;

/// <summary>Names the resource of the pages' words: English is the key, Texts.de.resx has the German.</summary>
public sealed class Texts;
