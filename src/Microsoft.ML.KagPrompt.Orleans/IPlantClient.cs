using Microsoft.ML.KagPrompt.Hosting;

namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>The way into a plant: has pictures inspected on whichever machine is free, and asks how lines and machines are.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IPlantClient
{
    /// <summary>Tells a line what it inspects. It is kept; telling again changes it.</summary>
    /// <param name="line">The line's name, 1 to 100 characters.</param>
    /// <param name="settings">What.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ArgumentException">Values out of range.</exception>
    /// <exception cref="PlantException">No silo took it in time.</exception>
    Task SetUpLineAsync(string line, LineSettings settings, CancellationToken cancellationToken = default);

    /// <summary>
    /// Has a picture inspected. Calls that a failing machine or network leaves open are made again until
    /// <see cref="PlantClientOptions.Timeout"/>; by the id the picture counts once, and every call with it has the same answer.
    /// </summary>
    /// <param name="line">The line's name.</param>
    /// <param name="picture">The picture, which is in the store already (<see cref="IPictureStore.AddAsync"/>).</param>
    /// <param name="id">A version 7 GUID (<c>InspectionRecord.NewId()</c>), made once for each inspection.</param>
    /// <param name="cancellationToken">Ends the waiting; the picture may be inspected all the same.</param>
    /// <exception cref="ArgumentException">This is no id or reference.</exception>
    /// <exception cref="InspectionRefusedException">Every silo that has the model refused, or none has it. Not counted; try again after
    /// <see cref="InspectionRefusedException.RetryAfter"/>.</exception>
    /// <exception cref="PlantException">There is no answer; <see cref="PlantException.Fault"/> says why.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<PlantAnswer> InspectAsync(string line, PictureReference picture, Guid id, CancellationToken cancellationToken = default);

    /// <summary>How a line stands.</summary>
    /// <param name="line">The line's name.</param>
    /// <param name="recount">Whether it counts anew what the database has of it, which takes longer.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="PlantException">No silo answered in time.</exception>
    Task<LineStatus> GetLineAsync(string line, bool recount = false, CancellationToken cancellationToken = default);

    /// <summary>The silos that answer, by name.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="PlantException">None answered in time.</exception>
    Task<IReadOnlyList<SiloStatus>> GetSilosAsync(CancellationToken cancellationToken = default);
}
