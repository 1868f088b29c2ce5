using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>Turns a published checkpoint into a backbone directory: manifest, one safetensors file a tower, vocabulary.</summary>
/// <remarks>Thread-safe for different destinations.</remarks>
public static class BackboneConverter
{
    private const string PartialSuffix = ".partial";
    private const string StateName = "convert.state";

    /// <summary>
    /// Converts. The directory appears whole or not at all: until the end everything lies in "DESTINATION.partial", where a later call with
    /// the same source and type goes on after the last whole tensor.
    /// </summary>
    /// <param name="source">A checkpoint's file, or a model repository's directory.</param>
    /// <param name="destination">A directory that does not exist yet.</param>
    /// <param name="type">How weights are stored.</param>
    /// <param name="progress">Told of bytes written and bytes in all.</param>
    /// <param name="cancellation">Stops between tensors; what was written stays for the next call.</param>
    /// <returns>What was converted.</returns>
    /// <exception cref="IOException">The destination exists, or a file cannot be read or written.</exception>
    /// <exception cref="CheckpointFormatException">The source is damaged, or its values do not fit the type.</exception>
    /// <exception cref="CheckpointMismatchException">The source is of no known family, or not whole.</exception>
    public static BackboneDescription Convert(string source, string destination, WeightType type = WeightType.Float16,
        IProgress<(long Done, long Total)>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        ArgumentException.ThrowIfNullOrEmpty(destination);
        destination = Path.TrimEndingDirectorySeparator(Path.GetFullPath(destination));
        if (Directory.Exists(destination) || File.Exists(destination))
        {
            throw new IOException($"'{destination}' exists already: expected a new directory. Choose another, or delete it first.");
        }

        var published = Directory.Exists(source) ? PublishedBackbone.OpenDirectory(source) : PublishedBackbone.Open(source);
        var (file, layout) = (published.Location!, published.Layout);
        var partial = destination + PartialSuffix;
        Prepare(partial, file, type);
        using (var checkpoint = CheckpointFile.Open(file))
        {
            var total = layout.VisionRules.Concat(layout.TextRules).Sum(rule => Describe(rule, type).ByteCount);
            var done = 0L;
            void Written(long bytes) => progress?.Report((done += bytes, total));
            WriteTower(
                partial, "vision.safetensors", ReferredVision.KindValue, layout.VisionRules, checkpoint, type, Written, cancellation);
            if (layout.Text is not null)
            {
                WriteTower(partial, "text.safetensors", "text", layout.TextRules, checkpoint, type, Written, cancellation);
            }
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        foreach (var vocabulary in layout.Text is null ? [] : ClipVocabulary.FilesIn(folder))
        {
            File.Copy(vocabulary, Path.Combine(partial, Path.GetFileName(vocabulary)), overwrite: true);
        }

        var manifest = new BackboneManifest
        {
            Format = BackboneManifest.FormatName,
            Version = BackboneManifest.CurrentVersion,
            Name = layout.Name,
            Family = layout.Family,
            Licence = layout.Licence,
            Source = Path.GetFileName(file),
            VisionConfiguration = layout.Vision,
            Vision = ReferenceTo(partial, "vision.safetensors"),
            TextConfiguration = layout.Text,
            Text = layout.Text is null ? null : ReferenceTo(partial, "text.safetensors"),
        };
        File.WriteAllText(Path.Combine(partial, BackboneManifest.FileName), manifest.ToJson());
        File.Delete(Path.Combine(partial, StateName));
        Directory.Move(partial, destination);
        return BackboneDescription.From(ConvertedBackbone.Open(destination));
    }

    /// <summary>Keeps what an earlier call of the same work left behind, and nothing else.</summary>
    private static void Prepare(string partial, string file, WeightType type)
    {
        var info = new FileInfo(file);
        var state = FormattableString.Invariant($"{info.FullName}\n{info.Length}\n{info.LastWriteTimeUtc.Ticks}\n{type}\n");
        var statePath = Path.Combine(partial, StateName);
        if (Directory.Exists(partial))
        {
            if (File.Exists(statePath) && File.ReadAllText(statePath) == state)
            {
                return;
            }

            if (!File.Exists(statePath) && Directory.EnumerateFileSystemEntries(partial).Any())
            {
                throw new IOException($"'{partial}' exists and is not of an earlier conversion: "
                    + "it is needed for unfinished work. Move it away.");
            }

            Directory.Delete(partial, recursive: true);
        }

        Directory.CreateDirectory(partial);
        File.WriteAllText(statePath, state);
    }

    private static TensorInfo Describe(WeightRule rule, WeightType type) => new(rule.Name, type.Type(), rule.Shape);

    private static void WriteTower(string partial, string name, string kind, IReadOnlyList<WeightRule> rules, ITensorSource checkpoint,
        WeightType type, Action<long> written, CancellationToken cancellation)
    {
        var ordered = rules.OrderBy(rule => rule.Name, StringComparer.Ordinal).ToArray();
        var header = SafetensorsWriter.Header([.. ordered.Select(rule => Describe(rule, type))],
            new Dictionary<string, string> { [SafetensorsWriter.KindKey] = kind });
        var mapped = new MappedTensors(checkpoint, ordered);
        var unfinished = Path.Combine(partial, name + PartialSuffix);
        var whole = Path.Combine(partial, name);
        if (File.Exists(whole))
        {
            written(ordered.Sum(rule => Describe(rule, type).ByteCount));
            return;
        }

        using (var file = new FileStream(unfinished, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 20))
        {
            // The state file vouches for the source: bytes of the same header and whole tensors are the ones this call would write.
            var end = StartsWith(file, header) ? (long)header.Length : 0;
            var next = 0;
            while (end > 0 && next < ordered.Length && end + Describe(ordered[next], type).ByteCount <= file.Length)
            {
                var bytes = Describe(ordered[next++], type).ByteCount;
                end += bytes;
                written(bytes);
            }

            file.SetLength(end);
            file.Position = end;
            if (end == 0)
            {
                file.Write(header);
            }

            for (; next < ordered.Length; next++)
            {
                cancellation.ThrowIfCancellationRequested();
                WriteTensor(file, mapped, ordered[next].Name, type);
                written(Describe(ordered[next], type).ByteCount);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, whole);
    }

    private static void WriteTensor(FileStream file, MappedTensors mapped, string name, WeightType type)
    {
        using var scope = torch.NewDisposeScope();
        var stored = mapped.Read(name);
        FiniteValues.Check(stored, stored, name, mapped.Origin);
        var converted = stored.to(type.Type());
        if (type == WeightType.Float16 && converted.isfinite().all().Value() != 1)
        {
            throw new CheckpointFormatException($"'{name}' holds values beyond what 16-bit floats reach (65504): "
                + $"convert to {WeightType.BFloat16} or {WeightType.Float32}.");
        }

        file.Write(converted.contiguous().bytes);
    }

    private static bool StartsWith(FileStream file, byte[] header)
    {
        var found = new byte[header.Length];
        file.Position = 0;
        return file.ReadAtLeast(found, found.Length, throwOnEndOfStream: false) == header.Length && found.AsSpan().SequenceEqual(header);
    }

    private static VisionReference ReferenceTo(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return new VisionReference(name, new FileInfo(path).Length, FileHash.Compute(path));
    }
}
