using Microsoft.ML.KagPrompt.Hosting;

namespace Microsoft.ML.KagPrompt.Orleans.Calling;

/// <summary>What came of a picture, as it passes between machines: exceptions of every kind would not.</summary>
[GenerateSerializer, Immutable, Alias("kagprompt.outcome")]
internal sealed record Outcome
{
    /// <summary>Null: there is no answer.</summary>
    [Id(0)]
    public PlantAnswer? Answer { get; init; }

    /// <summary>A <see cref="RefusalReason"/>; null: it was not refused.</summary>
    [Id(1)]
    public int? Refusal { get; init; }

    [Id(2)]
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Null: it did not fail.</summary>
    [Id(3)]
    public PlantFault? Fault { get; init; }

    [Id(4)]
    public string Message { get; init; } = "";

    /// <summary>Whether what was told is an earlier inspection of the same id.</summary>
    [Id(5)]
    public bool IsRepeat { get; init; }

    /// <summary>Of the silo that worked, as it stands now.</summary>
    [Id(6)]
    public SiloStatus? Silo { get; init; }

    public static Outcome Answered(PlantAnswer answer, bool isRepeat) => new() { Answer = answer, IsRepeat = isRepeat };

    public static Outcome Refused(RefusalReason reason, string message, TimeSpan? retryAfter = null)
        => new() { Refusal = (int)reason, Message = message, RetryAfter = retryAfter };

    public static Outcome Failed(PlantFault fault, string message) => new() { Fault = fault, Message = message };

    /// <exception cref="InspectionRefusedException">It was refused.</exception>
    /// <exception cref="PlantException">It failed.</exception>
    public PlantAnswer Unwrap() => Answer
        ?? throw (Refusal is { } reason ? new InspectionRefusedException((RefusalReason)reason, Message, RetryAfter)
            : new PlantException(Fault ?? PlantFault.SiloFailed, Message));
}
