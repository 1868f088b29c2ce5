namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>A request was not inspected, through no fault of its image.</summary>
public sealed class InspectionRefusedException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="message">What, expected, got and remedy.</param>
    /// <param name="retryAfter">When it may be worth another try; null: not known.</param>
    public InspectionRefusedException(RefusalReason reason, string message, TimeSpan? retryAfter = null) : base(message)
        => (Reason, RetryAfter) = (reason, retryAfter);

    /// <summary>Why.</summary>
    public RefusalReason Reason { get; }

    /// <summary>
    /// When it may be worth another try: of a full queue the time that those who wait will take, by the last batches' times; null: not known.
    /// </summary>
    public TimeSpan? RetryAfter { get; }
}

/// <summary>Why a request was not inspected.</summary>
public enum RefusalReason
{
    /// <summary>As many of the product wait as may (HTTP 429).</summary>
    QueueFull,

    /// <summary>The program is stopping (HTTP 503).</summary>
    Stopping,

    /// <summary>There is no such product (HTTP 404 or 400).</summary>
    ProductUnknown,

    /// <summary>There is such a product, but its model is not loaded, or could not be (HTTP 503).</summary>
    ModelUnavailable,
}
