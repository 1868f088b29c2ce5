using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Cli.Evaluation;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt evaluate --data DIR… [--shots 1,2,4] [--seeds 5] …</summary>
internal static class EvaluateCommand
{
    private static readonly KagOptions Method = new();
    private static readonly InspectionOptions Defaults = new() { Method = Method };
    private static readonly FewShotProtocol Protocol = new();
    private static readonly Option<string[]> Data = new("--data")
    {
        Description = "A data set's folder or manifest; may be given several times.",
        Required = true,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<DatasetLayout> Layout = new("--layout")
    {
        Description = "How the data sets are laid out.",
        DefaultValueFactory = _ => DatasetLayout.Auto,
        CustomParser = Typed.Choice<DatasetLayout>,
    };
    private static readonly Option<string[]> Methods = MethodOption.CreateList();
    private static readonly Option<string?> TrainOn = new("--train-on")
    {
        Description = "Train the graph prompt once on this data set's normal images, and adapt it to the products of the others, "
            + "as the paper does.",
    };
    private static readonly Option<string?> Initial = new("--initial") { Description = "A trained model's zip." };
    private static readonly Option<string?> Checkpoint = new("--checkpoint")
    {
        Description = "A graph prompt that the paper's authors published, with --variant Released.",
    };
    private static readonly Option<int[]> Shots = new("--shots")
    {
        Description = $"Numbers of support images, between commas. [default: {string.Join(',', Protocol.Shots)}]",
        CustomParser = Typed.Wholes(1, 1000),
    };
    private static readonly Option<int> Seeds = new("--seeds")
    {
        Description = "Draws of the support images.",
        DefaultValueFactory = _ => Protocol.Draws,
        CustomParser = Typed.Whole(1),
    };
    private static readonly Option<SupportDraw> Draw = new("--draws")
    {
        Description = "Random: supports are drawn as often as --seeds says. Paper: the one draw that the paper's figures are of, "
            + "the 13th to 16th training image (of VisA the 57th to 60th).",
        DefaultValueFactory = _ => Protocol.SupportDraw,
    };
    private static readonly MethodWords Words = new();
    private static readonly Option<bool> FromScratch = new("--from-scratch")
    {
        Description = "Start from an untrained prompt instead of the initial model's or the backbone's; "
            + "with 0 epochs the memory bank alone scores.",
    };
    private static readonly Option<string> Backbone = NetworkOptions.Backbone();
    private static readonly Option<string?> MemoryBackbone = NetworkOptions.MemoryBackbone();
    private static readonly Option<GraphVariant> Variant = NetworkOptions.Variant();
    private static readonly Option<Precision> Precision = NetworkOptions.Precision();
    private static readonly Option<int?> Size = NetworkOptions.Size();

    private static readonly Option<int> Tiles = NetworkOptions.Tiles();
    private static readonly Option<string[]> Regions = RegionOption.Create();
    private static readonly Option<string> Device = DeviceOption.Create();
    private static readonly Option<string[]> Ablate = new("--ablate")
    {
        Description = "Vary a choice of the method, all else equal, as the paper does: T=1..6 (graph iterations; each trains), "
            + "k=1,10,20 (map values averaged), gamma=0..0.5 (weight of the prompt branch; a step may follow: 0..0.5:0.05), "
            + "contrast=0,0.4 (share of its surroundings taken off each map value), "
            + "modules (memory bank, prompt, graph). May be given several times.",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string?> Json = new("--json") { Description = "Write all results to this file." };
    private static readonly Option<string?> Page = new("--html") { Description = "Write a page with the table to this file." };
    private static readonly Option<string?> Cells = new("--cells")
    {
        Description = "Folder of one file a cell, from which a stopped run goes on; FILE.cells beside --json unless given.",
    };
    private static readonly Option<bool> Table1 = new("--table1")
    {
        Description = "The paper's Table 1 on these data sets: its seven systems, published figures beside those computed on --backbone. "
            + "Needs --out.",
    };
    private static readonly Option<string[]> Native = NativeOption.Create();
    private static readonly Option<string?> Output = new("--out")
    {
        Description = "With --table1, the folder for table1.html, table1.json and the cells.",
    };

    public static Verb Create()
    {
        var command = new Verb("evaluate", "Few-shot figures of data sets: mean ± deviation over draws of the support images. "
            + "A run that was stopped goes on where it was.")
        {
            Data, Layout, Methods, TrainOn, Initial, Checkpoint, Shots, Seeds, Draw, Words.Epochs, Words.Heads, Words.Decoder,
            Words.ZeroShot, FromScratch, Backbone, MemoryBackbone, Variant, Precision, Size, Tiles, Regions, Device,
            Ablate, Json, Page, Cells, Table1, Native, Output,
        };
        command.AddRule(RefuseBesideTable1);
        Words.AddRules(command, Methods, Initial);
        command.RefuseForOthers(Methods, [MethodOption.Kag], TrainOn, Checkpoint, FromScratch, MemoryBackbone, Variant, Ablate);
        command.AddRule(result =>
        {
            if (result.GetValue(TrainOn) is not null && EpochsOf(result) == 0)
            {
                result.AddError("--train-on needs --epochs of 1 or more.");
            }
        });
        command.AddRule(result =>
        {
            try
            {
                Ablations(result, Defaults);
            }
            catch (Exception fault) when (fault is ArgumentException or KagPromptException)
            {
                result.AddError(fault.Message);
            }
        });
        command.SetGuardedAction(Run);
        return command;
    }

    /// <summary>--table1 writes its own files and chooses its own methods.</summary>
    private static void RefuseBesideTable1(CommandResult result)
    {
        bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
        foreach (var option in IsGiven(Table1) ? [Methods, Words.Heads, Words.Decoder, Words.ZeroShot, Initial, MemoryBackbone,
            Ablate, Json, Page, Cells] : (Option[])[Native, Output])
        {
            if (IsGiven(option))
            {
                result.AddError(IsGiven(Table1)
                    ? $"{option.Name} does not go with --table1. Leave it out."
                    : $"{option.Name} is for --table1 alone.");
            }
        }

        if (result.GetValue(Draw) == SupportDraw.Paper && IsGiven(Seeds))
        {
            result.AddError("--seeds does not go with --draws paper, which is one draw. Leave it out.");
        }

        if (IsGiven(Table1) && !IsGiven(Output))
        {
            result.AddError("--table1 needs --out, the folder for its page, its JSON and its cells.");
        }
    }

    private static void Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (json, page) = (parsed.GetValue(Json), parsed.GetValue(Page));
        var cells = parsed.GetValue(Cells) ?? (json is null ? null : json + ".cells");
        OutputPlace.RequireFile(json);
        OutputPlace.RequireFile(page);
        OutputPlace.RequireFolder(cells);
        var methods = parsed.GetValue(Methods) is { Length: > 0 } named ? named : [MethodOption.Kag];
        var choices = Words.Read(parsed);
        var settings = new EvaluationSettings
        {
            Methods = methods,
            Choices = choices,
            Data = parsed.GetRequiredValue(Data),
            TrainOn = parsed.GetValue(TrainOn),
            Initial = parsed.GetValue(Initial),
            Layout = parsed.GetValue(Layout),
            Protocol = new()
            {
                Shots = parsed.GetValue(Shots) is { Length: > 0 } given ? given : Protocol.Shots,
                Draws = parsed.GetValue(Draw) == SupportDraw.Paper ? 1 : parsed.GetValue(Seeds),
                SupportDraw = parsed.GetValue(Draw),
                CellFolder = cells,
            },
            Options = new()
            {
                Backbone = new()
                {
                    Name = parsed.GetRequiredValue(Backbone),
                    MemoryName = parsed.GetValue(MemoryBackbone),
                    Precision = parsed.GetValue(Precision),
                },
                Images = new() { Size = parsed.GetValue(Size), Tiles = parsed.GetValue(Tiles) },
                Method = First(parsed, methods, choices),
                Device = parsed.Usable(Device),
            },
        };
        foreach (var own in settings.PerMethod())
        {
            own.Options.Validate();
        }

        if (parsed.GetValue(Table1))
        {
            WriteTable1(parsed, settings, cancellation);
            return;
        }

        settings = settings with { Protocol = settings.Protocol with { Ablations = Ablations(parsed.CommandResult, settings.Options) } };
        if (settings.Methods.Count > 1)
        {
            EvaluationWork.Check(settings);
        }

        var all = EvaluationWork.Run([.. settings.PerMethod()], parsed.GetValue(Regions), cancellation);
        IReadOnlyList<FewShotCell> results = [.. all.SelectMany(each => each.Cells)];
        IReadOnlyList<AblationSummary> ablations = [.. all.SelectMany(each => each.Ablations)];
        EvaluationTable.Write(results);
        if (ablations.Count > 0)
        {
            EvaluationTable.Write(AblationTable.Header, ablations.Select(AblationTable.Cells));
        }

        if (json is not null)
        {
            WholeFile.Write(json, EvaluationJson.Write(results, ablations));
        }

        if (page is not null)
        {
            WholeFile.Write(page, EvaluationPage.Write(settings, results, ablations));
        }
    }

    /// <summary>KAG-prompt's options where it is among the methods, else the first one's.</summary>
    private static MethodOptions First(ParseResult parsed, string[] methods, MethodChoices choices)
        => choices.For(methods.Contains(MethodOption.Kag) ? MethodOption.Kag : methods[0]) switch
        {
            KagOptions kag => kag with
            {
                Prompt = new()
                {
                    Variant = parsed.GetValue(Variant),
                    FromScratch = parsed.GetValue(FromScratch),
                    CheckpointPath = parsed.GetValue(Checkpoint),
                },
            },
            var other => other,
        };

    private static void WriteTable1(ParseResult parsed, EvaluationSettings settings, CancellationToken cancellation)
    {
        var (folder, native) = (parsed.GetValue(Output)!, NativeOption.Read(parsed.GetValue(Native)));
        OutputPlace.RequireFolder(folder);
        var table = PaperTable.Compute(settings, native, folder, own => EvaluationWork.Run(own, parsed.GetValue(Regions), cancellation));
        foreach (var note in table.Notes)
        {
            Console.Error.WriteLine(note);
        }

        PaperTableOutput.WriteTable(table);
        WholeFile.Write(Path.Combine(folder, "table1.json"), PaperTableOutput.Json(settings, table));
        WholeFile.Write(Path.Combine(folder, "table1.html"), PaperTableOutput.Page(settings, native, table));
    }

    private static IReadOnlyList<Ablation> Ablations(CommandResult result, InspectionOptions options)
    {
        if (result.GetValue(Ablate) is not { Length: > 0 } given)
        {
            return [];
        }

        // While arguments are checked, those not given have no value yet.
        var backbone = options.Backbone with { Name = result.GetValue(Backbone) ?? options.Backbone.Name };
        // Its prompt was trained with one number of iterations: starting from it, or not, would be compared along with T.
        var bringsPrompt = !result.GetValue(FromScratch) && result.GetValue(Initial) is null && result.GetValue(Checkpoint) is null
            && new PromptOptions { Variant = result.GetValue(Variant) }.ComesWith(backbone);
        var trains = EpochsOf(result) > 0;
        return AblationSyntax.Read(given, FewShotConfiguration.From(options), trains && !bringsPrompt,
            trains || bringsPrompt || result.GetValue(Initial) is not null || result.GetValue(Checkpoint) is not null);
    }

    /// <summary>While arguments are checked, an option that is not given has no value yet.</summary>
    private static int EpochsOf(CommandResult result)
        => result.GetResult(Words.Epochs) is { Implicit: false } ? result.GetValue(Words.Epochs) ?? 0 : Method.Training.Epochs;
}
