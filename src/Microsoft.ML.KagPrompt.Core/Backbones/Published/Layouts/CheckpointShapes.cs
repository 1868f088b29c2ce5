using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>Sizes read off a checkpoint's shapes, none believed beyond bounds.</summary>
internal sealed class CheckpointShapes(ITensorSource source, string family)
{
    private const long Largest = 1 << 20;

    /// <summary>One size of a tensor; negative axes count from the end.</summary>
    public int Size(string name, int axis, int rank)
    {
        var shape = source.Entries.TryGetValue(name, out var info) && info.Shape.Count == rank ? info.Shape
            : throw new CheckpointMismatchException($"{source.Origin} is not a whole {family} checkpoint: "
                + $"expected '{name}' with {rank} sizes, got {(info is null ? "nothing" : $"[{string.Join(", ", info.Shape)}]")}.");
        var size = shape[axis < 0 ? rank + axis : axis];
        return size is >= 1 and <= Largest
            ? (int)size
            : throw new CheckpointMismatchException($"{source.Origin}: '{name}' has a size of {size}: expected 1 to {Largest}.");
    }

    /// <summary>How many blocks there are: the first number for which the name is not there.</summary>
    public int Count(Func<int, string> name)
    {
        var count = Enumerable.Range(0, 1024).TakeWhile(i => source.Entries.ContainsKey(name(i))).Count();
        return count > 0 ? count
            : throw new CheckpointMismatchException($"{source.Origin} is not a whole {family} checkpoint: "
                + $"expected '{name(0)}', got nothing.");
    }

    /// <summary>The image side positions were learned at, from their number with the class token.</summary>
    public int ImageSide(int positions, int patch)
    {
        var side = (int)Math.Round(Math.Sqrt(Math.Max(0, positions - 1)));
        return side >= 1 && side * side == positions - 1 ? side * patch
            : throw new CheckpointMismatchException($"{source.Origin}: expected positions for a class token and a square of patches, "
                + $"got {positions}.");
    }

    public bool Has(string name) => source.Entries.ContainsKey(name);

    /// <summary>Heads of a width: given, or by the family's rule; they must divide it.</summary>
    public int Heads(int width, int? given, int usual)
    {
        var heads = given ?? usual;
        return heads >= 1 && width % heads == 0 ? heads
            : throw new CheckpointMismatchException($"{source.Origin}: a width of {width} does not divide into {heads} heads. "
                + $"If this is not one of {family}'s published sizes, give the number of heads.");
    }
}
