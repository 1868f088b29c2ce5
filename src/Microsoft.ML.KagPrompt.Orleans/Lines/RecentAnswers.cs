namespace Microsoft.ML.KagPrompt.Orleans.Lines;

/// <summary>The last answers of a line, by id.</summary>
/// <remarks>Of one thread at a time.</remarks>
internal sealed class RecentAnswers(int most)
{
    private readonly Dictionary<Guid, PlantAnswer> answers = [];
    private readonly Queue<Guid> order = new();

    public PlantAnswer? Find(Guid id) => answers.GetValueOrDefault(id);

    /// <summary>False: it is known already.</summary>
    public bool Add(PlantAnswer answer)
    {
        if (!answers.TryAdd(answer.Id, answer))
        {
            return false;
        }

        order.Enqueue(answer.Id);
        while (order.Count > most)
        {
            answers.Remove(order.Dequeue());
        }

        return true;
    }
}
