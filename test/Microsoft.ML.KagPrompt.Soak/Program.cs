// The long trials: prints one JSON object of what was counted. --quick runs a small share; --only NAME one of the trials.
using System.Globalization;
using Microsoft.ML.KagPrompt.Soak;

if (args.FirstOrDefault() is "mutate")
{
    return Mutations.Child(args[1], int.Parse(args[2], CultureInfo.InvariantCulture), long.Parse(args[3], CultureInfo.InvariantCulture), long.Parse(args[4], CultureInfo.InvariantCulture), args[5]);
}

return Trials.Run(args);
