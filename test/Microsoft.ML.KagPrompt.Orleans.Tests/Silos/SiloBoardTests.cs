using System.Net;
using Microsoft.Extensions.Time.Testing;
using Microsoft.ML.KagPrompt.Orleans.Silos;

namespace Microsoft.ML.KagPrompt.Orleans.Tests.Silos;

public sealed class SiloBoardTests
{
    private static readonly SiloAddress A = Address(1), B = Address(2), C = Address(3);

    private readonly FakeTimeProvider clock = new();
    private readonly SiloBoard board;

    public SiloBoardTests() => board = new(clock);

    [Fact]
    public void TryTake_EqualSilos_TakesThemInTurn()
    {
        Report(A, B, C);
        var taken = Enumerable.Range(0, 30).Select(_ =>
        {
            var silo = Take()!;
            board.Done(silo);
            return silo;
        });
        taken.GroupBy(silo => silo).Should().HaveCount(3).And.OnlyContain(silo => silo.Count() == 10);
    }

    [Fact]
    public void TryTake_WorkUnderWay_TakesTheOneWithLeast()
    {
        Report(A, B);
        board.Report(A, Status(underWay: 3));
        new[] { Take(), Take() }.Should().OnlyContain(silo => silo == B);
        Take().Should().Be(A, "it has one more, and was asked longest ago");
        Take().Should().Be(B);
        Take().Should().Be(A, "it has four, B three");
        Take().Should().Be(B, "A has five, B three");
    }

    [Fact]
    public void Report_OfWorkOfOurs_DoesNotCountItTwice()
    {
        Report(A, B);
        Take().Should().Be(A);
        board.Report(A, Status(underWay: 1));
        board.Report(B, Status(underWay: 3));
        Take().Should().Be(A, "it has one, and B three");
    }

    [Fact]
    public void TryTake_ModelNotWarmOrOfAnotherVersion_IsNotTaken()
    {
        board.Report(A, Status(version: null));
        board.Report(B, Status(version: "1"));
        board.Report(C, Status(version: "2"));
        Take().Should().Be(B);
        Take("2").Should().Be(C);
        Take("3").Should().BeNull();
        board.TryTake("other", null, new HashSet<SiloAddress>(), out _).Should().BeFalse();
    }

    [Fact]
    public void Suspect_UntilItAnswersOrTimePasses_IsNotTaken()
    {
        Report(A);
        board.Suspect(A, TimeSpan.FromSeconds(5));
        Take().Should().BeNull();
        clock.Advance(TimeSpan.FromSeconds(5));
        Take().Should().Be(A);
        board.Suspect(A, TimeSpan.FromSeconds(5));
        Report(A);
        Take().Should().Be(A);
        var gone = board.GoneAsync(A);
        gone.IsCompleted.Should().BeFalse();
        board.Keep([B]);
        Take().Should().BeNull("it is gone");
        gone.IsCompleted.Should().BeTrue();
    }

    private void Report(params SiloAddress[] silos)
    {
        foreach (var silo in silos)
        {
            board.Report(silo, Status());
        }
    }

    private SiloAddress? Take(string? version = null)
        => board.TryTake("part", version, new HashSet<SiloAddress>(), out var silo) ? silo : null;

    private static SiloStatus Status(int underWay = 0, string? version = "1")
        => new() { Silo = "any", Models = [new("part", version)], UnderWay = underWay, Inspected = 0, Refused = 0 };

    private static SiloAddress Address(int port) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, port), 1);
}
