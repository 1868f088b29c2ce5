using System.Data.Common;
using Microsoft.AspNetCore.Http;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>Errors as answers: what the caller did wrong in words, what is away as 503, all else as the program has it.</summary>
internal static class Refusals
{
    private const string SecondsToWait = "30";

    public static async ValueTask<object?> Filter(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        try
        {
            return await next(context).ConfigureAwait(false);
        }
        catch (Exception) when (http.Response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            http.Abort();
            return TypedResults.Empty;
        }
        catch (BadHttpRequestException fault)
        {
            return TypedResults.Problem(fault.Message, statusCode: fault.StatusCode);
        }
        catch (ArgumentException fault)
        {
            return TypedResults.Problem(fault.Message, statusCode: StatusCodes.Status400BadRequest);
        }
        catch (JournalFullException)
        {
            return Away("The result was not recorded: the journal is full.");
        }
        catch (ResultStoreException fault)
        {
            return TypedResults.Problem(fault.Message, statusCode: StatusCodes.Status500InternalServerError);
        }
        catch (Exception fault) when (IsOfTheDatabase(fault))
        {
            return Away("The database is away. Recording goes on.");
        }

        IResult Away(string why)
        {
            http.Response.Headers.RetryAfter = SecondsToWait;
            return TypedResults.Problem(why, statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static bool IsOfTheDatabase(Exception? fault) => fault is not null && (fault is DbException || IsOfTheDatabase(fault.InnerException));
}
