using Microsoft.ML.KagPrompt.Numerics;
using Spectre.Console;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>Progress in bytes: a bar on a terminal; a line for each tenth where the output is piped.</summary>
internal static class ByteProgress
{
    /// <summary>Runs work that reports bytes done and bytes in all.</summary>
    public static void Show(string what, Action<IProgress<(long Done, long Total)>> work)
    {
        if (Console.IsOutputRedirected)
        {
            var shown = 0L;
            work(new Direct(value =>
            {
                if (value.Done * 10 / value.Total is var tenths && tenths > shown)
                {
                    shown = tenths;
                    Console.WriteLine($"{what}: {10 * tenths} %");
                }
            }));
            return;
        }

        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(),
                new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask(what);
                work(new Direct(value =>
                {
                    task.MaxValue = value.Total;
                    task.Value = value.Done;
                }));
            });
    }

    /// <summary>Progress reported on the thread that works: <see cref="Progress{T}"/> would report late and out of order.</summary>
    private sealed class Direct(Action<(long Done, long Total)> report) : IProgress<(long Done, long Total)>
    {
        public void Report((long Done, long Total) value) => report(value);
    }
}
