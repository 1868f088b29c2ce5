using System.Collections.Immutable;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>What a line is doing.</summary>
internal enum LineStatus
{
    Starting,
    Waiting,
    Working,
    Paused,
    NoModel,
    Fault,
}

/// <summary>A line as its page shows it.</summary>
internal sealed class LineState(int id, string name, string product)
{
    private const int Kept = 12;

    private readonly Lock gate = new();

    public int Id { get; } = id;

    public string Name { get; } = name;

    public string Product { get; } = product;

    public LineStatus Status { get; private set; }

    /// <summary>What is wrong; null: nothing.</summary>
    public string? Message { get; private set; }

    /// <summary>Why the last of <see cref="Failed"/> could not be inspected.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Since the station began.</summary>
    public int Total { get; private set; }

    public int Rejected { get; private set; }

    /// <summary>Files that could not be inspected.</summary>
    public int Failed { get; private set; }

    public bool IsPaused { get; set; }

    /// <summary>The latest first.</summary>
    public ImmutableArray<LiveResult> Newest { get; private set; } = [];

    public event Action? Changed;

    public void Set(LineStatus status, string? message = null)
    {
        if (Status == status && message == Message)
        {
            return;
        }

        (Status, Message) = (status, message);
        Changed?.Invoke();
    }

    public void Add(LiveResult result)
    {
        lock (gate)
        {
            (Total, Rejected) = (Total + 1, Rejected + (result.Record.IsAnomalous ? 1 : 0));
            Newest = [result, .. Newest.Take(Kept - 1)];
        }

        Changed?.Invoke();
    }

    public void AddFailed(string message)
    {
        lock (gate)
        {
            Failed++;
            LastFailure = message;
        }

        Changed?.Invoke();
    }
}
