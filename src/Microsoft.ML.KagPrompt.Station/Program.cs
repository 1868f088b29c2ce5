// Starts the inspection station: ./build.sh station, or with --help.
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Station;

if (args.Contains("--help"))
{
    Console.WriteLine(StationOptions.Usage);
    return 0;
}

try
{
    // The process is the program's own: networks run faster where its heap keeps what they free.
    Microsoft.ML.KagPrompt.NativeHeap.Keep();
    await using var station = StationHost.Create(StationOptions.Parse(args));
    await station.RunAsync();
    return 0;
}
catch (Exception fault) when (fault is ArgumentException or IOException or UnauthorizedAccessException or InvalidDataException
    or Microsoft.ML.KagPrompt.KagPromptException)
{
    Console.Error.WriteLine(fault.Message);
    return 2;
}
