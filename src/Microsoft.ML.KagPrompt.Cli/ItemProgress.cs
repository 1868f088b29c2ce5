using Microsoft.ML.KagPrompt.Numerics;
using Spectre.Console;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>Progress in items, on the error stream: a bar on a terminal; a line for each tenth where it is piped.</summary>
internal static class ItemProgress
{
    /// <summary>Runs work that reports what it does, how much is done, and how much there is in all (0: not known).</summary>
    public static void Show(string what, Action<Action<string, int, int>> work)
    {
        if (Console.IsErrorRedirected)
        {
            var (shown, phase) = (0, "");
            work((now, done, total) =>
            {
                var tenths = total > 0 ? (int)(10L * done / total) : 0;
                if (now != phase || tenths > shown)
                {
                    (phase, shown) = (now, tenths);
                    Console.Error.WriteLine(total > 0 ? $"{now}: {done} of {total}" : $"{now}: {done}");
                }
            });
            return;
        }

        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask(Markup.Escape(what));
                work((now, done, total) =>
                {
                    task.Description = Markup.Escape(now);
                    task.IsIndeterminate = total == 0;
                    task.MaxValue = Math.Max(total, 1);
                    task.Value = done;
                });
            });
    }
}
