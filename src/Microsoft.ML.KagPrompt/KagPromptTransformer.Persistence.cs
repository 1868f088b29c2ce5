using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Interop;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(KagPromptTransformer), typeof(KagPromptTransformer), null, typeof(SignatureLoadModel), "KAG-prompt anomaly detection", KagPromptTransformer.LoaderSignature)]

namespace Microsoft.ML.KagPrompt;

/// <content>Saving into and loading from ML.NET's model zip.</content>
public sealed partial class KagPromptTransformer
{
    internal const string LoaderSignature = "KagPromptTransformer";

    private const string OptionsStream = "KagPrompt.options.json";
    private const string ModelStream = "KagPrompt.safetensors";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() }, MaxDepth = 8 };

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Version());
        ctx.SaveBinaryStream(OptionsStream, writer => writer.Write(JsonSerializer.SerializeToUtf8Bytes(Options, Json)));
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
        ctx.CheckAtModel(Version());
        var options = ReadOptions(ctx);
        KagPromptModel? model = null;
        try
        {
            // The file may name a GPU this machine has not: a loaded model goes where this context says.
            var device = DeviceSelection.Resolve(env, "auto");
            if (!ctx.TryLoadBinaryStream(ModelStream, reader => model = KagPromptModel.Load(reader.BaseStream, device, ZipLocation.FoldersOf(ctx))))
            {
                throw new ModelFormatException($"The model zip has no '{ModelStream}': expected what mlContext.Model.Save writes. Save or copy the zip again.");
            }

            return new KagPromptTransformer(env, options, model!);
        }
        catch (InvalidDataException fault)
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
        try
        {
            if (!ctx.TryLoadBinaryStream(OptionsStream, reader => options = JsonSerializer.Deserialize<KagPromptOptions>(reader.BaseStream, Json)) || options is null)
            {
                throw new ModelFormatException($"The model zip has no '{OptionsStream}': expected what mlContext.Model.Save writes. Save or copy the zip again.");
            }

            options.Validate();
            return options;
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or InvalidDataException)
        {
            throw new ModelFormatException($"The model zip's options are damaged: {fault.Message}", fault);
        }
    }

    private static VersionInfo Version() => new(
        modelSignature: "KAGPROMT",
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(KagPromptTransformer).Assembly.FullName!,
        loaderSignature: LoaderSignature);
}
