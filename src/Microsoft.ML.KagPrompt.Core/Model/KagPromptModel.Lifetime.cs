using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <content>What an operation under way needs outlives a Dispose from another thread.</content>
public sealed partial class KagPromptModel
{
    /// <summary>Keeps the whole model's memory until what is returned is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    internal IDisposable Hold() => Hold([.. classes.Values]);

    /// <summary>Keeps what these classes' inspection needs.</summary>
    private Held Hold(params ReadOnlySpan<ClassState> states)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        var held = new Held();
        try
        {
            held.Add(network.Borrow());
            foreach (var state in states)
            {
                held.Add(state.Reference.Borrow());
            }

            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Several loans, given back together.</summary>
    private sealed class Held : IDisposable
    {
        private readonly List<IDisposable> loans = [];

        public void Add(IDisposable loan) => loans.Add(loan);

        public void Dispose() => loans.ForEach(loan => loan.Dispose());
    }
}
