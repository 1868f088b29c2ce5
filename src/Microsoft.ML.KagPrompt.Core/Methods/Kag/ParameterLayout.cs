namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>How a parameter's values are drawn before training.</summary>
internal enum InitialValues
{
    Zero,
    One,
    Small,
    Orthogonal,

    /// <summary>PyTorch's default for linear layers and convolutions: uniform within ±1/√fan-in.</summary>
    Uniform,

    StatisticZero,
    StatisticOne,
}

/// <summary>A parameter's name, shape and first values.</summary>
internal sealed record ParameterLayout(string Name, long[] Shape, InitialValues Initial, long FanIn = 0)
{
    /// <summary>Whether it is a running statistic, which gradients do not change.</summary>
    public bool IsStatistic => Initial is InitialValues.StatisticOne or InitialValues.StatisticZero;

    /// <summary>Weight and bias of a layer that starts as PyTorch's do.</summary>
    public static ParameterLayout[] Linear(string name, params long[] shape)
    {
        var fanIn = shape[1..].Aggregate(1L, (product, size) => product * size);
        return [new($"{name}.weight", shape, InitialValues.Uniform, fanIn), new($"{name}.bias", [shape[0]], InitialValues.Uniform, fanIn)];
    }

    /// <summary>Weight, and a bias of 0.</summary>
    public static ParameterLayout[] Pair(string name, InitialValues weight, params long[] shape)
        => [new($"{name}.weight", shape, weight), new($"{name}.bias", [shape[0]], InitialValues.Zero)];
}
