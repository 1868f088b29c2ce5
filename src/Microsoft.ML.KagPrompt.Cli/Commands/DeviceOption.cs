using System.CommandLine;
using System.Globalization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>--device, with which a command says where it computes.</summary>
internal static class DeviceOption
{
    /// <summary>The option; a name that means nothing is refused while arguments are checked.</summary>
    public static Option<string> Create()
    {
        var option = new Option<string>("--device") { Description = "auto, cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && token.Value is not ("auto" or "cpu") && Index(token.Value) is null)
            {
                result.AddError($"--device: expected auto, cpu, cuda or cuda:N, such as cuda:0, got '{token.Value}'.");
            }
        });
        return option;
    }

    /// <summary>The device that was asked for, which is there.</summary>
    /// <exception cref="KagPromptException">It names a GPU that is not.</exception>
    public static string Usable(this ParseResult parsed, Option<string> option)
    {
        var device = parsed.GetRequiredValue(option);
        if (Index(device) is { } wanted && (torch.cuda.is_available() ? torch.cuda.device_count() : 0) is var usable && wanted >= usable)
        {
            throw new KagPromptException(string.Create(CultureInfo.InvariantCulture,
                $"There is no CUDA device {wanted} here: {usable} CUDA device(s) can be used. Choose --device cpu or auto, "
                    + $"or check the driver, and that this build of the tool is one for GPUs."));
        }

        return device;
    }

    /// <summary>Of cuda and cuda:N; null of anything else.</summary>
    private static int? Index(string device) => device == "cuda" ? 0
        : device.StartsWith("cuda:", StringComparison.Ordinal)
            && byte.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : null;
}
