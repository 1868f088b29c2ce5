namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>What is said to requests that are not inspected.</summary>
internal static class Refusals
{
    public static InspectionRefusedException QueueFull(string product, int capacity, TimeSpan? retryAfter)
        => new(RefusalReason.QueueFull, $"{capacity} requests of '{product}' wait already, and no more may. Try again later, send fewer at "
            + $"once, or raise {nameof(KagPromptHostingOptions.QueueCapacity)}.", retryAfter);

    public static InspectionRefusedException Stopping()
        => new(RefusalReason.Stopping, "The program is stopping and takes no more requests. Ask another instance, or this one when it is back.");

    public static InspectionRefusedException ProductUnknown(string product)
        => new(RefusalReason.ProductUnknown, $"Product '{(product.Length <= 64 ? product : product[..64] + "…")}' is not known here. "
            + "Add it to Products, or activate a version of it in the registry.");

    public static InspectionRefusedException ModelUnavailable(string product)
        => new(RefusalReason.ModelUnavailable, $"The model of '{product}' is not loaded. The health check says why.");
}
