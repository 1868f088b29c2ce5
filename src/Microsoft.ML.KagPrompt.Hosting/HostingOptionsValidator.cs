using Microsoft.Extensions.Options;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>Names every fault of the options in one message.</summary>
internal sealed class HostingOptionsValidator : IValidateOptions<KagPromptHostingOptions>
{
    public ValidateOptionsResult Validate(string? name, KagPromptHostingOptions options)
    {
        var faults = new OptionFaults()
            .Require(options.QueueCapacity is >= 1 and <= 100_000, nameof(options.QueueCapacity), "1 to 100000", options.QueueCapacity)
            .Require(options.MaxBatchSize is >= 1 and <= 1024, nameof(options.MaxBatchSize), "1 to 1024", options.MaxBatchSize)
            .Require(options.MaxBatchDelay >= TimeSpan.Zero && options.MaxBatchDelay <= TimeSpan.FromSeconds(10),
                nameof(options.MaxBatchDelay), "zero to 10 s", options.MaxBatchDelay)
            .Require(options.MaxConcurrentDecodes is >= 1 and <= 1024, nameof(options.MaxConcurrentDecodes), "1 to 1024",
                options.MaxConcurrentDecodes)
            .Require(options.MaxImageBytes >= 1, nameof(options.MaxImageBytes), "1 or more", options.MaxImageBytes)
            .Require(options.RegistryInterval >= TimeSpan.FromMilliseconds(10) && options.RegistryInterval <= TimeSpan.FromDays(1),
                nameof(options.RegistryInterval), "10 ms to 1 day", options.RegistryInterval);
        foreach (var (product, file) in options.Products)
        {
            faults.Require(SafeName.Is(product), $"{nameof(options.Products)}['{product}']", SafeName.Expected, product)
                .Require(!string.IsNullOrEmpty(file?.Path), $"{nameof(options.Products)}['{product}'].{nameof(file.Path)}", "a file", file?.Path);
        }

        try
        {
            faults.ThrowIfAny(nameof(KagPromptHostingOptions));
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException fault)
        {
            return ValidateOptionsResult.Fail(fault.Message);
        }
    }
}
