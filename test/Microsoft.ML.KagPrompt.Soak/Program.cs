// The long trials: prints one JSON object of what was counted. --quick runs a small share; --only NAME one of the trials, --count N so much of it.
using System.Globalization;
using Microsoft.ML.KagPrompt.Soak;

return args.FirstOrDefault() switch
{
    // What the trials start this program for.
    "mutate" => Mutations.Child(args[1], (int)Number(2), Number(3), Number(4), args[5]),
    "score" => Scoring.Child(Number(1)),
    "service" => Service.Child(Number(1)),
    "silo" => PlantSilo.RunAsync(args[1..]).GetAwaiter().GetResult(),
    "save" => Kills.SavingChild(args[1]),
    "train" => Kills.TrainingChild(args[1]),
    _ => Trials.Run(args),
};

long Number(int at) => long.Parse(args[at], CultureInfo.InvariantCulture);
