using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using static Microsoft.ML.KagPrompt.Tests.Model.BackboneFiles;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>A model finds its backbone again: in itself, or by its content in the folders that were named.</summary>
// Classes that load models on backbones of files run one after the other: a test here names folders to every search of the process.
[Collection(nameof(BackboneSearchTests))]
public sealed class BackboneSearchTests : IDisposable
{
    private readonly BackboneFiles files = new();

    [Theory]
    [InlineData(GraphVariant.Paper)]
    [InlineData(GraphVariant.Released)]
    public void Load_ReferredBackbone_InspectsBitForBitAlike(GraphVariant variant)
    {
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Variant = variant, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        using var again = files.Load(saved);
        ShouldAgree(again, model);
        ((KagOptions)again.Options.Method).Prompt.Variant.Should().Be(variant);
        using var embedding = KagPromptTrainer.Fit(
            Parts, files.Choices with { Variant = variant, BackboneStorage = BackboneStorage.Embed });
        Save(embedding).Length.Should().BeGreaterThan(saved.Length + 200_000, "only one of them holds the tower");
    }

    [Fact]
    public void Load_EmbeddedBackbone_NeedsNoFile()
    {
        BackboneConverter.Convert(files.In("clip.safetensors"), files.In("half"));
        var half = files.Choices with { Backbone = files.In("half") };
        using var model = KagPromptTrainer.Fit(Parts, half with { BackboneStorage = BackboneStorage.Embed });
        using var referring = KagPromptTrainer.Fit(Parts, half with { BackboneStorage = BackboneStorage.Refer });
        ShouldAgree(referring, model);
        var saved = Save(model);
        Directory.Delete(files.Folder, recursive: true);
        using var again = files.Load(saved);
        ShouldAgree(again, model);
        Directory.CreateDirectory(files.Folder);
    }

    [Theory]
    [InlineData("")]
    [InlineData("backbones")]
    [InlineData("mine")]
    [InlineData("backbones/mine")]
    public void Load_MovedBackbone_IsFoundByItsContent(string place)
    {
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        var home = Directory.CreateDirectory(files.In("elsewhere")).FullName;
        Directory.CreateDirectory(Path.Combine(home, place));
        File.Move(files.In("clip.safetensors"), Path.Combine(home, place, "renamed.bin"));
        using var again = files.Load(saved, home);
        ShouldAgree(again, model);
    }

    [Fact]
    public void Load_EnvironmentVariable_NamesFolders()
    {
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        var home = Directory.CreateDirectory(files.In("elsewhere")).FullName;
        File.Move(files.In("clip.safetensors"), Path.Combine(home, "clip.safetensors"));
        Environment.SetEnvironmentVariable(BackboneSearch.EnvironmentVariable, string.Join(Path.PathSeparator, files.In("absent"), home));
        try
        {
            using var again = files.Load(saved);
            ShouldAgree(again, model);
        }
        finally
        {
            Environment.SetEnvironmentVariable(BackboneSearch.EnvironmentVariable, null);
        }
    }

    [Fact]
    public void Load_BackboneGoneOrChanged_SaysWhereItLooked()
    {
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        var bytes = File.ReadAllBytes(files.In("clip.safetensors"));
        bytes[^3] ^= 4;
        File.WriteAllBytes(files.In("clip.safetensors"), bytes);
        FluentActions.Invoking(() => files.Load(saved, files.In("absent"), files.Folder).Dispose()).Should().Throw<ModelFormatException>()
            .WithMessage($"*'clip.safetensors'*SHA-256*Looked in '{files.In("absent")}'*other content*: '{files.In("clip.safetensors")}'*"
                + $"{BackboneSearch.EnvironmentVariable}*");
        File.Delete(files.In("clip.safetensors"));
        FluentActions.Invoking(() => files.Load(saved, files.In("absent")).Dispose())
            .Should().Throw<ModelFormatException>().WithMessage($"*Looked in '{files.In("absent")}'*");
    }

    [SkippableFact]
    public void Load_LinkedBackbone_IsReadThroughTheLink()
    {
        // As model caches lay files out. Making links takes a privilege on Windows.
        Skip.If(OperatingSystem.IsWindows());
        BackboneConverter.Convert(files.In("clip.safetensors"), files.In("made"));
        var linked = Directory.CreateDirectory(files.In("linked")).FullName;
        foreach (var file in Directory.GetFiles(files.In("made")))
        {
            File.CreateSymbolicLink(Path.Combine(linked, Path.GetFileName(file)), file);
        }

        File.CreateSymbolicLink(Path.Combine(linked, "gone"), files.In("nowhere"));
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Backbone = linked, BackboneStorage = BackboneStorage.Refer });
        using var again = files.Load(Save(model), linked);
        ShouldAgree(again, model);
    }

    [Fact]
    public void Load_FolderThatOnlyTheModelNames_IsNotLookedIn()
    {
        var named = files.Choices with { Epochs = 0, BackboneStorage = BackboneStorage.Refer, BackboneFolders = [files.Folder] };
        using var model = KagPromptTrainer.Fit(Parts, named);
        FluentActions.Invoking(() => files.Load(Save(model), files.In("absent")).Dispose())
            .Should().Throw<ModelFormatException>()
            .WithMessage($"*Looked in '{files.In("absent")}', '{files.In("absent/backbones")}' and*");
    }

    public void Dispose() => files.Dispose();
}
