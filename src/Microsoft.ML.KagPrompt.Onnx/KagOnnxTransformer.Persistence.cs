using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Interop;
using Microsoft.ML.KagPrompt.OnnxReading;
using Microsoft.ML.KagPrompt.Persistence;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(KagOnnxTransformer), typeof(KagOnnxTransformer), null, typeof(SignatureLoadModel),
    "Exported anomaly detection", KagOnnxTransformer.LoaderSignature)]

namespace Microsoft.ML.KagPrompt;

/// <content>Saving into and loading from ML.NET's model zip.</content>
public sealed partial class KagOnnxTransformer
{
    internal const string LoaderSignature = "KagOnnxTransformer";

    private const string OptionsStream = "KagOnnx.options.json";
    private const string ModelStream = "KagOnnx.onnx";
    private const string Origin = "The model zip's ONNX file";
    private const int OptionsVersion = 1;

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        if (file.PathWithData is { } path)
        {
            throw new NotSupportedException($"'{path}' has its weights in a second file, of more than a zip's entry of it may hold: "
                + "expected a file that is whole by itself. Keep the two files, and apply them with ApplyKagOnnx where they are; "
                + "or export with Precision Float16.");
        }

        ctx.SetVersionInfo(Version());
        // Another machine has other processors.
        var kept = Options with { Inspector = new() { MaxPixels = Options.Inspector.MaxPixels, Resizing = Options.Inspector.Resizing } };
        ctx.SaveBinaryStream(OptionsStream, writer => writer.Write(HashedOptions.Write(kept, OptionsVersion)));
        ctx.SaveBinaryStream(ModelStream, writer => writer.Write(file.Bytes));
    }

    /// <summary>ML.NET's loader calls this by its signature.</summary>
    internal static KagOnnxTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        SupportedMLNet.Check();
        try
        {
            if (ctx.Header.ModelVerReadable > Version().VerWrittenCur)
            {
                throw new ModelFormatException("The model zip was written by a newer version of this library. "
                    + "Update Microsoft.ML.KagPrompt.Onnx.");
            }

            ctx.CheckAtModel(Version());
            if (ZipLocation.ArchiveOf(ctx) is { } archive)
            {
                ZipChecks.Check(archive, OptionsStream);
            }

            var options = Entry(ctx, OptionsStream, stream => HashedOptions.Read(stream, root =>
            {
                var read = HashedOptions.Parse<KagOnnxOptions>(root, OptionsVersion, "Microsoft.ML.KagPrompt.Onnx");
                read.Validate();
                return read;
            }));
            return new(env, ExportedFile.Read(Entry(ctx, ModelStream, ReadAll), Origin), options);
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException or FormatException
            or (NotSupportedException and not PlatformNotSupportedException))
        {
            throw new ModelFormatException($"The model zip is damaged: {fault.Message} Save or copy it again.", fault);
        }
    }

    private static T Entry<T>(ModelLoadContext ctx, string name, Func<Stream, T> read) where T : class
    {
        T? value = null;
        return ctx.TryLoadBinaryStream(name, reader => value = read(reader.BaseStream)) && value is not null ? value
            : throw new ModelFormatException($"The model zip has no '{name}': expected what mlContext.Model.Save writes. "
                + "Save or copy the zip again.");
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static VersionInfo Version() => new(
        modelSignature: "KAGPONNX",
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(KagOnnxTransformer).Assembly.FullName!,
        loaderSignature: LoaderSignature);
}
