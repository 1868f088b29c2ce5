using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// What a training has come to, in a file: the prompt, the optimiser's moments, the number of steps. Random numbers need no state: every
/// twin's come from the seed and its place alone.
/// </summary>
internal sealed class TrainingCheckpoint : IDisposable
{
    private const string FingerprintKey = "fingerprint";
    private const string StepsKey = "steps";
    private const string GradientsKey = "gradients";
    private const string HashKey = "sha256";

    private readonly string path;
    private readonly string fingerprint;
    private readonly TimeSpan interval;
    private readonly int stepsPerEpoch;
    private SafetensorsFile? file;
    private long last = TimeProvider.System.GetTimestamp();
    private int saved = -1;

    private TrainingCheckpoint(string path, string fingerprint, TimeSpan interval, int stepsPerEpoch)
    {
        (this.path, this.fingerprint, this.interval, this.stepsPerEpoch) = (path, fingerprint, interval, stepsPerEpoch);
        if (!File.Exists(path))
        {
            return;
        }

        file = SafetensorsFile.Read(new MemoryStream(File.ReadAllBytes(path)), $"The checkpoint '{path}'");
        Steps = int.TryParse(file.Metadata.GetValueOrDefault(StepsKey), NumberStyles.None, CultureInfo.InvariantCulture, out var steps)
            && file.Metadata.GetValueOrDefault(FingerprintKey) == fingerprint ? steps : throw Damaged(null);
    }

    /// <summary>Steps that need not be taken again.</summary>
    public int Steps { get; }

    /// <summary>Finds the checkpoint of a training, if it has one.</summary>
    /// <exception cref="CheckpointFormatException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static TrainingCheckpoint Open(string folder, TimeSpan interval, int stepsPerEpoch, string fingerprint)
        => new(Path.Combine(folder, $"training-{fingerprint[..16]}.safetensors"), fingerprint, interval, stepsPerEpoch);

    /// <summary>
    /// Brings prompt and optimiser to where the file left off. The projections' centres, where training had any; the caller's.
    /// </summary>
    /// <exception cref="CheckpointFormatException">The file is damaged; neither has changed then, or both are of no use.</exception>
    public CentredProjections? Resume(GraphPrompt prompt, AdamW optimizer)
    {
        if (file is null)
        {
            return null;
        }

        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        try
        {
            var tensors = file.Entries.Keys.ToDictionary(name => name, file.Read);
            var gradients = file.Metadata[GradientsKey];
            if (HashOf(Steps, gradients, tensors) != file.Metadata.GetValueOrDefault(HashKey)
                || gradients.Length != prompt.Parameters.Count)
            {
                throw Damaged(null);
            }

            foreach (var (name, weight) in prompt.Weights)
            {
                weight.copy_(tensors[$"prompt.{name}"]);
            }

            optimizer.Resume(Steps, name => tensors[$"optimizer.{name}"]);
            // Where there was a gradient there is one, if of zeros: an optimiser passes over parameters that have none.
            foreach (var (parameter, had) in prompt.Parameters.Zip(gradients))
            {
                parameter.grad = had == '1' ? torch.zeros_like(parameter, requires_grad: false) : null;
            }

            var centres = tensors.Keys.Count(name => name.StartsWith("centre.", StringComparison.Ordinal));
            saved = Steps;
            return centres == 0 ? null : new CentredProjections(prompt, i => tensors[$"centre.{i}"].to(prompt.Parameters[0].device));
        }
        catch (Exception fault) when (fault is KeyNotFoundException or CheckpointFormatException
            or System.Runtime.InteropServices.ExternalException)
        {
            throw Damaged(fault);
        }
        finally
        {
            // Not for the whole training: it holds all of its bytes.
            Dispose();
        }
    }

    /// <summary>Writes after an epoch, or when the time has come.</summary>
    public void SaveIfDue(GraphPrompt prompt, AdamW optimizer, CentredProjections? centred)
    {
        if (optimizer.Steps % stepsPerEpoch == 0 || TimeProvider.System.GetElapsedTime(last) >= interval)
        {
            Save(prompt, optimizer, centred);
        }
    }

    /// <summary>Writes what is there, unless it is written.</summary>
    /// <exception cref="IOException">It cannot be written; the file before stays whole.</exception>
    public void Save(GraphPrompt prompt, AdamW optimizer, CentredProjections? centred)
    {
        if (saved == optimizer.Steps)
        {
            return;
        }

        var tensors = prompt.Weights.Select(entry => ($"prompt.{entry.Key}", entry.Value))
            .Concat(optimizer.State.Select(entry => ($"optimizer.{entry.Name}", entry.Value)))
            .Concat(centred?.Centres.Select((centre, i) => ($"centre.{i}", centre)) ?? [])
            .ToDictionary(entry => entry.Item1, entry => entry.Item2);
        var gradients = string.Concat(prompt.Parameters.Select(HasGradient));
        var metadata = new Dictionary<string, string>
        {
            [FingerprintKey] = fingerprint,
            [StepsKey] = optimizer.Steps.ToString(CultureInfo.InvariantCulture),
            [GradientsKey] = gradients,
            [HashKey] = HashOf(optimizer.Steps, gradients, tensors),
        };
        try
        {
            WholeFile.Write(path, stream => SafetensorsWriter.Write(stream, tensors, metadata));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The checkpoint '{path}' cannot be written: {fault.Message} "
                + "Make room there, or name another folder in Training.CheckpointFolder; what was written before is whole.", fault);
        }

        (saved, last) = (optimizer.Steps, TimeProvider.System.GetTimestamp());
    }

    public void Dispose()
    {
        file?.Dispose();
        file = null;
    }

    private static char HasGradient(torch.Tensor parameter)
    {
        using var scope = torch.NewDisposeScope();
        return parameter.grad is null ? '0' : '1';
    }

    /// <summary>Of all that is gone on from.</summary>
    private static string HashOf(int steps, string gradients, Dictionary<string, torch.Tensor> tensors)
    {
        var names = tensors.Keys.Order(StringComparer.Ordinal).Select(name => $"{name} {HashedTensors.HashOf(tensors[name])}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            FormattableString.Invariant($"{steps} {gradients}\n") + string.Join('\n', names))));
    }

    private CheckpointFormatException Damaged(Exception? fault)
        => new($"The checkpoint '{path}' is damaged, or another's. Delete it: training then begins anew.", fault);
}
