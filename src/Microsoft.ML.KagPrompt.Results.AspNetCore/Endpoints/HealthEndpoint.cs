using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>The one call without a key: it tells nothing of a result and asks nothing of the database.</summary>
internal static class HealthEndpoint
{
    public static Ok<Health> Get(ResultRecorder recorder, ResultClock clock, KagPromptResultsOptions options)
        => TypedResults.Ok(new Health(recorder.JournalBytes > options.MaxJournalBytes / 2 ? "filling"
            : clock.Doubt is null ? "ok" : "clock", recorder.Pending));
}
