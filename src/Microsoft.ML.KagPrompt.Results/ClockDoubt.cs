namespace Microsoft.ML.KagPrompt.Results;

/// <summary>The machine's clock shows another time than it should: somebody set it, or it lost its battery.</summary>
/// <param name="Shown">What it shows, in UTC.</param>
/// <param name="Expected">What it should show, by what it showed before and by how long the program has run since; in UTC.</param>
/// <param name="Remaining">How much longer the program has to run by this clock until it is believed; above zero.</param>
public sealed record ClockDoubt(DateTimeOffset Shown, DateTimeOffset Expected, TimeSpan Remaining);
