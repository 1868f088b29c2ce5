using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>How an exported model is run.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record OnnxInspectorOptions
{
    /// <summary>What computes.</summary>
    public OnnxProvider Provider { get; init; } = OnnxProvider.Cpu;

    /// <summary>Which GPU, from 0, for Cuda and DirectML; the processor has no such choice, and OpenVino takes 0 alone.</summary>
    public int DeviceId { get; init; }

    /// <summary>Threads that one call computes with, 1 or more; null: one for each core.</summary>
    public int? Threads { get; init; }

    /// <summary>What brings images to the size that the model sees.</summary>
    public OnnxResizing Resizing { get; init; } = OnnxResizing.AsTheModel;

    /// <summary>Largest image, in pixels (width · height), that is read from a file.</summary>
    public int MaxPixels { get; init; } = 70_000_000;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate()
    {
        var faults = new OptionFaults();
        CollectFaults(faults, "");
        faults.ThrowIfAny(nameof(OnnxInspectorOptions));
    }

    internal void CollectFaults(OptionFaults faults, string prefix) => faults
        .Require(Enum.IsDefined(Provider), prefix + nameof(Provider), "a defined provider", Provider)
        .Require(DeviceId >= 0, prefix + nameof(DeviceId), "0 or more", DeviceId)
        .Require(DeviceId <= 0 || Provider != OnnxProvider.OpenVino, prefix + nameof(DeviceId),
            $"0 with provider {OnnxProvider.OpenVino}, which chooses its device by itself", DeviceId)
        .Require(Threads is null or (>= 1 and <= 1024), prefix + nameof(Threads), "1 to 1024 or null", Threads)
        .Require(Enum.IsDefined(Resizing), prefix + nameof(Resizing), "a defined value", Resizing)
        .Require(MaxPixels >= 1, prefix + nameof(MaxPixels), "1 or more", MaxPixels);
}
