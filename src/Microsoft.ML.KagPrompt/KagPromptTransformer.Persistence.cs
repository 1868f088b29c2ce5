using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Interop;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Persistence;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(KagPromptTransformer), typeof(KagPromptTransformer), null, typeof(SignatureLoadModel),
    "KAG-prompt anomaly detection", KagPromptTransformer.LoaderSignature)]

namespace Microsoft.ML.KagPrompt;

/// <content>Saving into and loading from ML.NET's model zip.</content>
public sealed partial class KagPromptTransformer
{
    internal const string LoaderSignature = "KagPromptTransformer";

    private const string OptionsStream = "KagPrompt.options.json";
    private const string ModelStream = "KagPrompt.safetensors";

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Version());
        ctx.SaveBinaryStream(OptionsStream, writer => writer.Write(OptionsJson.Write(Options)));
        ctx.SaveBinaryStream(ModelStream, writer =>
        {
            writer.Flush();
            Model.Save(writer.BaseStream);
        });
    }

    /// <summary>ML.NET's loader calls this by its signature.</summary>
    internal static KagPromptTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        SupportedMLNet.Check();
        TorchRuntime.Require();
        KagPromptModel? model = null;
        try
        {
            CheckVersion(ctx);
            if (ZipLocation.ArchiveOf(ctx) is { } archive)
            {
                ZipChecks.Check(archive, OptionsStream, ModelStream);
            }

            var options = ReadOptions(ctx);
            // The file may name a GPU this machine has not: a loaded model goes where this context says.
            var device = DeviceSelection.Resolve(env, "auto");
            void Read(BinaryReader reader) => model = KagPromptModel.Load(reader.BaseStream, device, ZipLocation.FoldersOf(ctx));
            if (!ctx.TryLoadBinaryStream(ModelStream, Read))
            {
                throw new ModelFormatException($"The model zip has no '{ModelStream}': expected what mlContext.Model.Save writes. "
                    + "Save or copy the zip again.");
            }

            return new KagPromptTransformer(env, options, model!);
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException or FormatException
            or (NotSupportedException and not PlatformNotSupportedException))
        {
            model?.Dispose();
            throw new ModelFormatException($"The model zip is damaged: {fault.Message} Save or copy it again.", fault);
        }
        catch
        {
            model?.Dispose();
            throw;
        }
    }

    private static KagPromptOptions ReadOptions(ModelLoadContext ctx)
    {
        KagPromptOptions? options = null;
        return ctx.TryLoadBinaryStream(OptionsStream, reader => options = OptionsJson.Read(reader.BaseStream))
            && options is not null ? options
            : throw new ModelFormatException($"The model zip has no '{OptionsStream}': expected what mlContext.Model.Save writes. "
                + "Save or copy the zip again.");
    }

    /// <summary>ML.NET would say that the model is too new, and not of what.</summary>
    private static void CheckVersion(ModelLoadContext ctx)
    {
        if (ctx.Header.ModelVerReadable > Version().VerWrittenCur)
        {
            var writer = ctx.LoaderAssemblyName is { Length: > 0 } name
                ? name.Split(',')
                    .FirstOrDefault(part => part.TrimStart().StartsWith("Version=", StringComparison.Ordinal))?.Trim()["Version=".Length..]
                : null;
            throw new ModelFormatException("The model zip was written by a newer version of this library: "
                + $"it needs Microsoft.ML.KagPrompt {writer ?? "of a later version"} or one that reads its models. Update the package.");
        }

        ctx.CheckAtModel(Version());
    }

    private static VersionInfo Version() => new(
        modelSignature: "KAGPROMT",
        verWrittenCur: 0x00010002,           // the options have a hash
        verReadableCur: 0x00010002,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(KagPromptTransformer).Assembly.FullName!,
        loaderSignature: LoaderSignature);
}
