namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>The objects an unpickler has under way, and those it was told to remember.</summary>
internal sealed class PickleStack(PickleBytes bytes)
{
    private static readonly object Mark = new();

    private readonly List<object?> stack = [];
    private readonly Dictionary<int, object?> memo = [];

    public int Count => stack.Count;

    public void PushMark() => stack.Add(Mark);

    public void Push(object? value) => stack.Add(value);

    public object? Top() => ReferenceEquals(stack[^1], Mark) ? throw bytes.Refuse("a mark where an object belongs") : stack[^1];

    public object? Pop()
    {
        var top = Top();
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    public void PushTuple(int count)
    {
        var items = new object?[count];
        for (var i = count - 1; i >= 0; i--)
        {
            items[i] = Pop();
        }

        Push(items);
    }

    public object?[] PopToMark()
    {
        var mark = stack.LastIndexOf(Mark);
        var items = stack.GetRange(mark + 1, stack.Count - mark - 1).ToArray();
        stack.RemoveRange(mark, stack.Count - mark);
        return items;
    }

    /// <summary>Remembers the topmost object under the next free number.</summary>
    public void Remember() => Remember(memo.Count);

    public void Remember(int number) => memo[number] = Top();

    public void Recall(int number) => Push(memo[number]);

    /// <summary>Appends to the list on top.</summary>
    public void AppendAll(object?[] items) => bytes.As<List<object?>>(Top()).AddRange(items);

    /// <summary>Sets keys and values, one after the other, in the dictionary on top.</summary>
    public void SetAll(object?[] items)
    {
        var dictionary = bytes.As<PickledDictionary>(Top());
        for (var i = 0; i < items.Length; i += 2)
        {
            var key = items[i] as string ?? (object?)(items[i] as long?) ?? throw bytes.Refuse("a key that is neither text nor number");
            dictionary.Items.Add(new(key, items[i + 1]));
        }
    }
}
