namespace Microsoft.ML.KagPrompt.Hosting;

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
