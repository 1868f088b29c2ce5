using Microsoft.ML.KagPrompt;

namespace QuickStart;

/// <summary>A bar on a terminal; a line for each phase and epoch where the output is piped.</summary>
internal sealed class ProgressBar : IProgress<TrainingProgress>
{
    private const int Width = 30;

    private (string Phase, int Epoch) shown;

    public void Report(TrainingProgress value)
    {
        var what = value.Epoch > 0 ? $"epoch {value.Epoch}" : value.Phase;
        var loss = value.Epoch > 0
            ? FormattableString.Invariant(
                $"  loss {value.Loss.CrossEntropy + value.Loss.Focal + value.Loss.Dice:0.000}, pixels {value.PixelAccuracy:P1}")
            : "";
        if (!Console.IsOutputRedirected)
        {
            var filled = value.Total > 0 ? Width * value.Done / value.Total : 0;
            Console.Write($"\r[{new string('#', filled)}{new string('.', Width - filled)}] {what,-10}{loss}   ");
            if (value.Phase != "images" && value.Done == value.Total)
            {
                Console.WriteLine();
            }
        }
        else if (shown != (value.Phase, value.Epoch))
        {
            shown = (value.Phase, value.Epoch);
            Console.WriteLine($"{what}{loss}");
        }
    }
}
