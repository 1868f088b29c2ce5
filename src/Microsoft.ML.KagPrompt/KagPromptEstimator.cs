using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Interop;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Fits a few-shot visual anomaly detector on normal images: NSA synthesis, TorchSharp training of the graph prompt, memory bank and
/// threshold.
/// </summary>
/// <remarks>
/// Immutable; may be fitted from several threads. Images that the caller holds in memory (LoadFromEnumerable) stay the caller's and usable;
/// those that LoadImages reads are disposed row by row.
/// </remarks>
public sealed class KagPromptEstimator : IEstimator<KagPromptTransformer>
{
    private readonly IHost host;
    private readonly KagPromptOptions options;

    internal KagPromptEstimator(IHostEnvironment environment, KagPromptOptions options)
    {
        SupportedMLNet.Check();
        options.Validate();
        TorchRuntime.Require();
        host = environment.Register(nameof(KagPromptEstimator));
        this.options = options with { Seed = options.Seed ?? (environment as IHostEnvironmentInternal)?.Seed };
    }

    /// <summary>Reads every row once, trains, and returns the scorer; the caller disposes it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="ArgumentException">It is open which value of the label column is normal
    /// (<see cref="ColumnOptions.NormalLabel"/>).</exception>
    /// <exception cref="InsufficientDataException">There are no rows, or a class has no normal one.</exception>
    /// <exception cref="ImageReadException">A row's image cannot be read; the message names the row.</exception>
    /// <exception cref="OperationCanceledException">The fit was cancelled.</exception>
    public KagPromptTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var columns = InputColumns.Find(input.Schema, options.Columns, options.Images, fitting: true);
        using var channel = host.Start("Fit");
        using var loaded = options.InitialModelPath is { } path ? InitialModelFile.Load(host, path) : null;
        var initial = (options.InitialModel ?? loaded)?.Model;
        var device = DeviceSelection.Resolve(host, options.Device);
        var how = options.Method is { } other ? $"method '{InspectionMethods.NameOf(other)}'"
            : options.Training.Epochs > 0 ? $"{options.Training.Epochs} epochs" : "no training";
        channel.Info($"Fitting on {device}, {how}, "
            + $"backbone '{options.Backbone.Name}'.");
        var model = KagPromptTrainer.Fit(TrainingRows.Read(input, columns, host), (options with { Device = device }).ForModel(), initial,
            new FitProgress(host, channel, options.Progress), options.Cancellation);
        if (options.Method is null && !model.HasPrompt && options.Fusion.Branches == ScoringBranches.Both)
        {
            channel.Info("There is no graph prompt: the memory bank alone scores.");
        }

        CalibrationLog.Write(channel, model, model.ClassNames);
        return new KagPromptTransformer(host, options, model);
    }

    /// <summary>The schema after fitting.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        InputShape.Check(inputSchema, options.Columns);
        return OutputSchema.Append(inputSchema, options.Columns);
    }
}
