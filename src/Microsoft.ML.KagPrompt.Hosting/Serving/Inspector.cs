using Microsoft.Extensions.Options;
using Microsoft.ML.KagPrompt.Hosting.Telemetry;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>A request from its arrival to its answer.</summary>
internal sealed class Inspector(ModelHost host, PictureReader pictures, HostingMetrics metrics, IOptions<KagPromptHostingOptions> options,
    TimeProvider time) : IInspector
{
    public Task<Inspection> InspectAsync(byte[] image, string product, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        // Held until it is read, and no longer: what waits holds a picture of the model's size.
        byte[]? file = image;
        return InspectAsync(product, (model, stop) => pictures.ReadAsync(Interlocked.Exchange(ref file, null)!, model, stop),
            cancellationToken);
    }

    public Task<Inspection> InspectAsync(Stream image, string product, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return InspectAsync(product, async (model, stop) =>
            await pictures.ReadAsync(await pictures.BytesOfAsync(image, stop).ConfigureAwait(false), model, stop).ConfigureAwait(false),
            cancellationToken);
    }

    public Task<Inspection> InspectAsync(PixelBuffer image, string product, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        PixelBuffer? picture = image;
        return InspectAsync(product, (model, stop) => pictures.ReadAsync(Interlocked.Exchange(ref picture, null)!, model, stop),
            cancellationToken);
    }

    private async Task<Inspection> InspectAsync(string product, Func<IInspectionModel, CancellationToken, Task<ReadPicture>> read,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(product);
        cancellation.ThrowIfCancellationRequested();
        using var activity = HostingActivities.StartRequest();
        var started = time.GetTimestamp();
        string? known = null;
        var outcome = "failed";
        try
        {
            var lane = host.LaneOf(product, out known);
            activity?.SetTag("kagprompt.product", known);
            using var ticket = lane.Enter();
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, host.Aborted);
            var verdict = await AnswerAsync(ticket, read, stop.Token).ConfigureAwait(false);
            activity?.SetTag("kagprompt.model.version", verdict.ModelVersion);
            outcome = verdict.IsAnomalous ? "anomalous" : "good";
            return verdict;
        }
        catch (InspectionRefusedException refusal)
        {
            outcome = HostingMetrics.OutcomeOf(refusal.Reason);
            known ??= refusal.Reason == RefusalReason.ModelUnavailable ? product : null;
            throw;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            outcome = "cancelled";
            throw new OperationCanceledException(cancellation);
        }
        catch (OperationCanceledException) when (host.Aborted.IsCancellationRequested)
        {
            outcome = HostingMetrics.OutcomeOf(RefusalReason.Stopping);
            throw Refusals.Stopping();
        }
        catch (ImageReadException)
        {
            outcome = "bad_image";
            throw;
        }
        finally
        {
            activity?.SetTag("kagprompt.outcome", outcome);
            metrics.Ended(known, outcome, time.GetElapsedTime(started));
        }
    }

    private async Task<Inspection> AnswerAsync(Ticket ticket,
        Func<IInspectionModel, CancellationToken, Task<ReadPicture>> read, CancellationToken stop)
    {
        var model = ticket.Served.Model;
        var (picture, width, height) = await read(model, stop).ConfigureAwait(false);
        ticket.Prepare(picture, time.GetTimestamp());
        ticket.Served.Post(ticket);
        using var cancelling = stop.UnsafeRegister(static waiting => ((Ticket)waiting!).Cancel(), ticket);
        var verdict = await ticket.Answer.ConfigureAwait(false);
        return !options.Value.MapsAtImageSize ? verdict
            : verdict with { Map = model.MapToImage(verdict.Map, width, height), Width = width, Height = height };
    }
}
