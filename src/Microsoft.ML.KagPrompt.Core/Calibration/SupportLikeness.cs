using System.Globalization;
using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>How like each other a class's supports are: which of them are the same picture, and which is unlike the others.</summary>
internal sealed class SupportLikeness
{
    // Of fewer, none can be called the odd one.
    private const int FewestToCompare = 4;

    private readonly IReadOnlyList<ProductImage> support;
    private readonly IReadOnlyList<Alone> alone;
    private readonly string[] pictures;
    private readonly bool[] foreign;

    /// <param name="support">The supports.</param>
    /// <param name="alone">The first of them, in order, each measured against all the others.</param>
    /// <param name="blanks">Unlikeness of blank frames.</param>
    public SupportLikeness(IReadOnlyList<ProductImage> support, IReadOnlyList<Alone> alone, IReadOnlyList<float> blanks)
    {
        (this.support, this.alone, Blank) = (support, alone, blanks.Min());
        pictures = [.. support.Select(image => Convert.ToHexString(SHA256.HashData(image.Square.Rgb)))];
        foreign = [.. alone.Select((_, i) => IsForeign(i))];
    }

    /// <summary>The smallest unlikeness of a blank frame.</summary>
    public float Blank { get; }

    /// <summary>How many supports were measured.</summary>
    public int Count => alone.Count;

    /// <summary>Unlikeness of the supports that tell how far normal images differ: not of copies, nor of one unlike all others.</summary>
    public IEnumerable<float> Known => alone.Where((_, i) => !IsCopy(i) && !foreign[i]).Select(measured => measured.Unlikeness);

    /// <summary>Where to look first for a defect among the supports, in a sentence; null with too few to compare.</summary>
    public string? Farthest()
    {
        var highest = Enumerable.Range(0, alone.Count).Where(i => !IsCopy(i)).OrderByDescending(i => alone[i].Score).ToArray();
        return highest.Length < FewestToCompare ? null
            : $"Of the support images {Name(highest[0])} scores highest against the others ({Scores(highest[0])}): "
                + "look there first if one may be defective.";
    }

    /// <summary>What should be looked at, in sentences.</summary>
    public IReadOnlyList<string> Warnings()
    {
        var same = pictures.Index().GroupBy(entry => entry.Item, entry => entry.Index).Where(group => group.Count() > 1).Select(group =>
            $"The same picture is {group.Count()} times among the support images: {string.Join(", ", group.Select(Name))}. "
            + "A copy adds nothing; give another image instead.");
        var odd = Enumerable.Range(0, alone.Count).Where(i => !IsCopy(i)).Select(i =>
            foreign[i] ? $"Support image {Name(i)} is unlike the others (unlikeness {Lacks(i)}): is it this part?"
            : IsDefective(i) ? $"Support image {Name(i)} stands out from the others (score {Scores(i)}): is it free of defects?"
            : null);
        return [.. same, .. odd.OfType<string>()];
    }

    private string Scores(int index) => Compared(index, measured => measured.Score);

    private string Lacks(int index) => Compared(index, measured => measured.Unlikeness);

    private string Compared(int index, Func<Alone, float> part)
    {
        var median = alone.Select(part).Order().ElementAt(alone.Count / 2);
        return string.Create(CultureInfo.InvariantCulture, $"{part(alone[index]):0.0000}, median {median:0.0000}");
    }

    private bool IsForeign(int index)
    {
        var others = Others(index, measured => measured.Unlikeness);
        return others.Length + 1 >= FewestToCompare && alone[index].Unlikeness > ForeignLimit.Place(others, others.Length, Blank);
    }

    private bool IsDefective(int index)
    {
        var others = Others(index, measured => measured.Score);
        return others.Length + 1 >= FewestToCompare && OddOneOut.IsFarAbove(alone[index].Score, others);
    }

    /// <summary>The other supports that are no copies.</summary>
    private float[] Others(int index, Func<Alone, float> part) => [.. alone.Where((_, i) => i != index && !IsCopy(i)).Select(part)];

    /// <summary>
    /// Whether a support is the same picture as another: against that one it scores nothing, which tells nothing of normal parts.
    /// </summary>
    public bool IsCopy(int index) => pictures.Count(picture => picture == pictures[index]) > 1;

    private string Name(int index) => support[index].Origin is { Length: > 0 } origin ? $"'{origin}'"
        : string.Create(CultureInfo.InvariantCulture, $"no. {index + 1}");

    /// <summary>A support's score and unlikeness against all the others.</summary>
    internal readonly record struct Alone(float Score, float Unlikeness);
}
