namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>Counts the owners of one disposable value; the last to let go disposes it. Thread-safe.</summary>
/// <remarks>
/// Models made from one another (another threshold, other supports) share weights through this, and each may be disposed apart.
/// </remarks>
internal sealed class Shared<T>(T value) where T : class, IDisposable
{
    private int owners = 1;

    public T Value => Volatile.Read(ref owners) > 0 ? value : throw new ObjectDisposedException(typeof(T).Name);

    /// <summary>Adds an owner.</summary>
    public Shared<T> Acquire()
    {
        int current;
        do
        {
            current = Volatile.Read(ref owners);
            ObjectDisposedException.ThrowIf(current == 0, typeof(T));
        }
        while (Interlocked.CompareExchange(ref owners, current + 1, current) != current);
        return this;
    }

    /// <summary>Adds an owner for a while: the value lives at least until what is returned is disposed.</summary>
    public Loan Borrow()
    {
        Acquire();
        return new(this);
    }

    /// <summary>Takes an owner away.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref owners) == 0)
        {
            value.Dispose();
        }
    }

    /// <summary>One ownership, let go of by disposing; once.</summary>
    internal sealed class Loan(Shared<T> shared) : IDisposable
    {
        public void Dispose() => shared.Release();
    }
}
