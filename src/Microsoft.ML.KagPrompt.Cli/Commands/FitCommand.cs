using System.CommandLine;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt fit DATA --out MODEL …</summary>
internal static class FitCommand
{
    private static readonly KagPromptOptions Defaults = new();
    private static readonly Argument<string> Data = new("DATA")
    {
        Description = "A data set's folder or manifest, or a folder of photographs of good parts.",
    };
    private static readonly Option<string> Output = new("--out")
    {
        Description = "The model zip to write. It appears whole or not at all.",
        Required = true,
    };
    private static readonly Option<DatasetLayout> Layout = new("--layout")
    {
        Description = "How the data set is laid out.",
        DefaultValueFactory = _ => DatasetLayout.Auto,
        CustomParser = Typed.Choice<DatasetLayout>,
    };
    private static readonly Option<string?> Class = new("--class")
    {
        Description = "What the parts are, in words the prompts can use; the product's folder name unless given.",
    };
    private static readonly Option<string> Method = MethodOption.Create();
    private static readonly MethodWords Words = new();
    private static readonly Option<bool> FromScratch = new("--from-scratch")
    {
        Description = "Start from an untrained prompt instead of the initial model's or the backbone's; "
            + "with 0 epochs the memory bank alone scores.",
    };
    private static readonly Option<int> Support = new("--support")
    {
        Description = "Most normal images a class in the memory bank.",
        DefaultValueFactory = _ => Defaults.Memory.MaxSupportImages,
        CustomParser = Typed.Whole(),
    };
    private static readonly Option<string?> Initial = new("--initial") { Description = "A trained model's zip to start from." };
    private static readonly Option<string?> Checkpoint = new("--checkpoint")
    {
        Description = "A graph prompt that the paper's authors published (train_on_mvtec.pt and the like) to start from, "
            + "with --variant Released.",
    };
    private static readonly Option<string?> Resume = new("--resume")
    {
        Description = "A folder that the training's state is kept in, after every epoch and every five minutes: the same command, given "
            + "again after it was broken off, goes on from there.",
    };
    private static readonly Option<string> Backbone = NetworkOptions.Backbone();
    private static readonly Option<string?> MemoryBackbone = NetworkOptions.MemoryBackbone();
    private static readonly Option<GraphVariant> Variant = NetworkOptions.Variant();
    private static readonly Option<Precision> Precision = NetworkOptions.Precision();
    private static readonly Option<int?> Size = NetworkOptions.Size();

    private static readonly Option<int> Tiles = NetworkOptions.Tiles();
    private static readonly Option<ResizeMode> Resize = new("--resize")
    {
        Description = "How images are brought there.",
        DefaultValueFactory = _ => Defaults.Images.ResizeMode,
        CustomParser = Typed.Choice<ResizeMode>,
    };
    private static readonly Option<ThresholdChoice> ThresholdBy = new("--threshold-by")
    {
        Description = "By what the threshold is placed.",
        DefaultValueFactory = _ => Defaults.Threshold.By,
        CustomParser = Typed.Choice<ThresholdChoice>,
    };
    private static readonly Option<float> Rate = new("--false-rejects")
    {
        Description = "Share of normal parts that the threshold may reject, above 0 to 0.5.",
        DefaultValueFactory = _ => Defaults.Threshold.FalseRejectRate,
        CustomParser = Typed.Number,
    };
    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "Of everything random.",
        DefaultValueFactory = _ => 0,
        CustomParser = Typed.Whole(),
    };
    private static readonly Option<string[]> Regions = RegionOption.Create();
    private static readonly Option<string> Device = DeviceOption.Create();

    public static Verb Create()
    {
        var command = new Verb("fit", "Fits a model on photographs of good parts and writes its zip.")
        {
            Data, Output, Layout, Class, Method, Words.Epochs, Words.Heads, Words.Decoder, Words.ZeroShot, FromScratch, Support, Initial,
            Checkpoint, Resume, Backbone, MemoryBackbone, Variant, Precision, Size, Tiles, Resize, ThresholdBy, Rate, Regions, Seed,
            Device,
        };
        Words.AddRules(command, Method, Initial);
        command.RefuseForOthers(Method, [MethodOption.Kag], FromScratch, Checkpoint, Resume, MemoryBackbone, Variant);
        command.AddRule(result =>
        {
            if (result.GetValue(Resume) is not null && (result.GetValue(Words.Epochs) ?? 0) == 0)
            {
                result.AddError("--resume: nothing is trained, so that there is no state to keep; give --epochs 1 or more.");
            }
        });
        command.SetGuardedAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        OutputPlace.RequireFile(parsed.GetRequiredValue(Output), SavedModel.LeastBytes);
        var options = new KagPromptOptions
        {
            Columns = new() { ClassName = nameof(AnomalyDatasetRow.ClassName), Label = nameof(AnomalyDatasetRow.Label) },
            Prompt = new()
            {
                FromScratch = parsed.GetValue(FromScratch),
                Variant = parsed.GetValue(Variant),
                CheckpointPath = parsed.GetValue(Checkpoint),
            },
            InitialModelPath = parsed.GetValue(Initial),
            Backbone = new()
            {
                Name = parsed.GetRequiredValue(Backbone),
                MemoryName = parsed.GetValue(MemoryBackbone),
                Precision = parsed.GetValue(Precision),
            },
            Images = new() { Size = parsed.GetValue(Size), Tiles = parsed.GetValue(Tiles), ResizeMode = parsed.GetValue(Resize) },
            Threshold = new() { By = parsed.GetValue(ThresholdBy), FalseRejectRate = parsed.GetValue(Rate) },
            Seed = parsed.GetValue(Seed),
            Device = parsed.Usable(Device),
            Cancellation = cancellation,
        };
        options = WithMethod(options, Words.Read(parsed).For(parsed.GetRequiredValue(Method)), parsed.GetValue(Support));
        options = options with { Training = options.Training with { CheckpointFolder = parsed.GetValue(Resume) } };
        options.Validate();
        var ml = new MLContext(parsed.GetValue(Seed));
        var images = ImageRows.ForFitting(parsed.GetRequiredValue(Data), parsed.GetValue(Layout), parsed.GetValue(Class));
        options = options with { Regions = RegionOption.Read(parsed.GetValue(Regions), images.Select(image => image.ClassName)) };
        var rows = ImageRows.ToDataView(ml, images);
        KagPromptTransformer? fitted = null;
        ItemProgress.Show("fitting",
            tell => fitted = ml.Transforms.DetectAnomaliesKag(options with { Progress = new ItemReporter(tell) }).Fit(rows));
        using (fitted)
        {
            SavedModel.Save(fitted!, rows.Schema, parsed.GetRequiredValue(Output));
            ModelSummary.Write(fitted!, parsed.GetRequiredValue(Output));
            ModelSummary.WriteWarnings(fitted!, fitted!.Model.ClassNames);
        }

        return ExitCode.Success;
    }

    private static KagPromptOptions WithMethod(KagPromptOptions options, MethodOptions method, int support)
    {
        if (method is KagOptions kag)
        {
            return options with { Training = kag.Training, Memory = options.Memory with { MaxSupportImages = support } };
        }

        return options with { Method = method with { Memory = method.Memory with { MaxSupportImages = support } } };
    }

    /// <summary>The fit's progress as items.</summary>
    private sealed class ItemReporter(Action<string, int, int> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value.Epoch > 0
            ? FormattableString.Invariant($"training, epoch {value.Epoch}, loss {Sum(value.Loss):0.000}")
            : value.Phase, value.Done, value.Total);

        private static float Sum((float CrossEntropy, float Focal, float Dice) loss) => loss.CrossEntropy + loss.Focal + loss.Dice;
    }
}
