using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Results;

namespace Microsoft.ML.KagPrompt.Station.Web;

/// <summary>Which faults a person can do something about, and their words.</summary>
internal static class Faults
{
    public static bool IsExpected(Exception fault) => fault is KagPromptException or InspectionRefusedException or ArgumentException
        or InvalidOperationException or IOException or UnauthorizedAccessException or KeyNotFoundException or DbException
        or DbUpdateException or ResultStoreException or JournalFullException;

    public static string Say(Exception fault) => fault switch
    {
        DbUpdateException { InnerException: { } inner } => Say(inner),
        DbException => $"The database is away or busy: {fault.Message} Try again in a moment.",
        _ when IsExpected(fault) => fault.Message,
        // What it is may be nobody's business; the log has it.
        _ => $"{fault.GetType().Name}. The station's log says more.",
    };
}
