using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Microsoft.ML.KagPrompt.Results.Tests.Servers;

/// <summary>What was logged, and a way to wait for it.</summary>
internal sealed class LogWords : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> words = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> awaited = new();

    public IReadOnlyCollection<string> Words => words;

    /// <summary>Ends when something with this word was logged.</summary>
    public Task SaysAsync(string word)
    {
        var told = awaited.GetOrAdd(word, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (words.Any(line => line.Contains(word, StringComparison.Ordinal)))
        {
            told.TrySetResult();
        }

        // A word that was changed fails the test, and does not hold up the run.
        return told.Task.WaitAsync(TimeSpan.FromMinutes(2));
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        var line = $"{logLevel}: {formatter(state, exception)} {exception}";
        words.Enqueue(line);
        foreach (var (word, told) in awaited)
        {
            if (line.Contains(word, StringComparison.Ordinal))
            {
                told.TrySetResult();
            }
        }
    }

    public void Dispose()
    {
    }
}
