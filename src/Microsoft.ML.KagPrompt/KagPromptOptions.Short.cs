using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt;

/// <content>What a first program sets, without its group. Each is the group's value under a shorter name: there is one of it.</content>
public sealed partial record KagPromptOptions
{
    /// <summary>Short for <see cref="TrainingOptions.Epochs"/> of <see cref="Training"/>.</summary>
    [JsonIgnore]
    public int Epochs { get => Training.Epochs; init => Training = Training with { Epochs = value }; }

    /// <summary>Short for <see cref="ImageOptions.Size"/> of <see cref="Images"/>.</summary>
    [JsonIgnore]
    public int? ImageSize { get => Images.Size; init => Images = Images with { Size = value }; }

    /// <summary>Short for <see cref="MemoryOptions.MaxSupportImages"/> of <see cref="Memory"/>.</summary>
    [JsonIgnore]
    public int MaxSupportImages { get => Memory.MaxSupportImages; init => Memory = Memory with { MaxSupportImages = value }; }

    /// <summary>Short for <see cref="ColumnOptions.ClassName"/> of <see cref="Columns"/>.</summary>
    [JsonIgnore]
    public string? ClassNameColumnName { get => Columns.ClassName; init => Columns = Columns with { ClassName = value }; }

    /// <summary>Short for <see cref="ColumnOptions.Label"/> of <see cref="Columns"/>.</summary>
    [JsonIgnore]
    public string? LabelColumnName { get => Columns.Label; init => Columns = Columns with { Label = value }; }

    /// <summary>Short for <see cref="ColumnOptions.Support"/> of <see cref="Columns"/>.</summary>
    [JsonIgnore]
    public string? SupportColumnName { get => Columns.Support; init => Columns = Columns with { Support = value }; }

    /// <summary>Short for <see cref="ColumnOptions.Heatmap"/> of <see cref="Columns"/>.</summary>
    [JsonIgnore]
    public string? HeatmapColumnName { get => Columns.Heatmap; init => Columns = Columns with { Heatmap = value }; }

    /// <summary>Short for <see cref="ColumnOptions.MapResolution"/> of <see cref="Columns"/>.</summary>
    [JsonIgnore]
    public MapResolution MapResolution { get => Columns.MapResolution; init => Columns = Columns with { MapResolution = value }; }
}
