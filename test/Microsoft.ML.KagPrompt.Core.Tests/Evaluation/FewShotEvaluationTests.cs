using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Evaluation;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Evaluation;

/// <summary>The protocol on rendered parts in memory: their paths are no files.</summary>
public sealed class FewShotEvaluationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-fewshot-").FullName;
    private readonly Parts parts = new();

    private static FewShotDataset Set => new("parts",
    [
        .. Enumerable.Range(0, 4).Select(i => new DatasetImage($"train {i}", "bolt", DatasetSplit.Train, false, "good", null)),
        .. Enumerable.Range(20, 2).Select(i => new DatasetImage($"good {i}", "bolt", DatasetSplit.Test, false, "good", null)),
        .. Enumerable.Range(20, 2).Select(i => new DatasetImage($"bad {i}", "bolt", DatasetSplit.Test, true, "bar", "mask")),
    ]);

    private static InspectionOptions Small => new FitChoices { Epochs = 0, ImageSize = 56, Device = "cpu" };

    private FewShotProtocol Protocol => new() { Shots = [2, 1], Draws = 2, CellFolder = folder };

    [Fact]
    public void Draw_MoreShots_BeginsWithFewer()
    {
        var product = Product.FromDatasets([Set], 4).Single();
        var order = product.Draw(3);
        order.Should().BeEquivalentTo(product.Normal).And.Equal(product.Draw(3));
        Enumerable.Range(0, 9).Select(seed => product.Draw(seed)[0]).Distinct().Should().HaveCountGreaterThan(1);
    }

    [Theory]
    [InlineData(DatasetLayout.MvTec, 12)]
    [InlineData(DatasetLayout.VisA, 56)]
    public void Run_PapersDraw_TakesTheAuthorsFourInOrder(DatasetLayout layout, int first)
    {
        var set = new FewShotDataset("parts",
        [
            .. Enumerable.Range(0, first + 4).Select(i => new DatasetImage($"train {i}", "bolt", DatasetSplit.Train, false, "good", null)),
            .. Set.Images.Where(image => image.Split == DatasetSplit.Test),
        ]) { Layout = layout };
        var product = Product.FromDatasets([set], 4, SupportDraw.Paper).Single();
        product.Draw(0, SupportDraw.Paper).Select(image => image.Path).Should().Equal(Enumerable.Range(first, 4).Select(i => $"train {i}"));
        var protocol = new FewShotProtocol { Shots = [1], Draws = 1, SupportDraw = SupportDraw.Paper, CellFolder = folder };
        var drawn = FewShotEvaluation.Run([set], Small, parts, protocol).Cells.Single();
        drawn.Seed.Should().Be(0);
        var read = parts.Reads;
        FewShotEvaluation.Run([set], Small, parts, protocol with { SupportDraw = SupportDraw.Random });
        parts.Reads.Should().BeGreaterThan(read, "a cell of one draw is none of another");
        FluentActions.Invoking(() => FewShotEvaluation.Run([Set with { Layout = layout }], Small, parts, protocol))
            .Should().Throw<InsufficientDataException>().WithMessage($"*expected at least {first + 4} normal images*got 4 and 4*");
        FluentActions.Invoking(() => FewShotEvaluation.Run([set with { Layout = DatasetLayout.Auto }], Small, parts, protocol))
            .Should().Throw<ArgumentException>().WithMessage("'parts': expected its Layout*LayoutOf tells it*");
        FluentActions.Invoking(() => (protocol with { Shots = [5], Draws = 2 }).Validate(Small))
            .Should().Throw<ArgumentException>().WithMessage("*Draws: expected 1 with SupportDraw.Paper, got 2*Shots: expected at most 4*got 5*");
    }

    [Fact]
    public void Run_Again_ReusesCellsAndFindsTheSame()
    {
        var first = FewShotEvaluation.Run([Set], Small, parts, Protocol);
        first.Cells.Select(cell => (cell.Seed, cell.Shots)).Should().Equal((0, 1), (0, 2), (1, 1), (1, 2));
        first.Cells.Should().OnlyContain(cell => cell.ImageAuroc != null && cell.PixelAuroc != null && cell.BalancedErrorBest <= (cell.BalancedError ?? 1));
        var read = parts.Reads;
        FewShotEvaluation.Run([Set], Small, parts, Protocol).Cells.Should().Equal(first.Cells);
        parts.Reads.Should().Be(read, "nothing is computed anew");
    }

    [Fact]
    public void RunAll_SeveralMethods_GiveWhatEachGivesAlone()
    {
        var protocol = Protocol with { CellFolder = null };
        EvaluatedMethod[] methods = [.. ((MethodOptions[])[new KagOptions(), new PatchCoreOptions(), new AnomalyDinoOptions()])
            .Select(method => new EvaluatedMethod { Options = Small with { Method = method }, Protocol = protocol })];
        var alone = methods.Select(method => FewShotEvaluation.Run([Set], method.Options, parts, protocol)).ToArray();
        var (before, told) = (parts.Reads, new List<(int Done, int Total)>());
        var together = FewShotEvaluation.RunAll([Set], methods, parts, new ProgressCallback(value => told.Add((value.Done, value.Total))));
        together.Should().HaveCount(3);
        foreach (var (all, own) in together.Zip(alone))
        {
            all.Cells.Select(Untimed).Should().Equal(own.Cells.Select(Untimed));
            all.Warnings.Should().Equal(own.Warnings);
        }

        // Of each method two draws of one and two supports; test images once for all.
        (parts.Reads - before).Should().Be((3 * 2 * 3) + 4);
        told[^1].Should().Be((12, 12), "cells of all methods");

        static FewShotCell Untimed(FewShotCell cell) => cell with { SecondsFit = null, SecondsPerImage = null };
    }

    [Fact]
    public void Run_ImagesReadBefore_CostWhatTheyCostAlone()
    {
        parts.Delay = TimeSpan.FromMilliseconds(50);
        var cells = FewShotEvaluation.Run([Set], Small, parts, Protocol with { CellFolder = null, Shots = [1] }).Cells;
        cells.Should().HaveCount(2).And.OnlyContain(cell => cell.SecondsPerImage >= 0.05, "a user reads each image anew");
    }

    [Fact]
    public void RunAll_ImageOfAnotherShapeThanARegion_IsRefusedThoughAnotherMethodTookIt()
    {
        parts.Wide = "good 21";
        var region = InspectionRegion.FromPolygons(80, 80, [], [[(16, 4), (64, 4), (64, 28), (16, 28)]]);
        var protocol = new FewShotProtocol { Shots = [1], Draws = 1 };
        var whole = new EvaluatedMethod { Options = Small, Protocol = protocol };
        FewShotEvaluation.RunAll([Set], [whole], parts).Single().Cells.Should().ContainSingle();
        var masked = whole with { Options = Small with { Regions = new Dictionary<string, InspectionRegion> { ["bolt"] = region } } };
        FluentActions.Invoking(() => FewShotEvaluation.RunAll([Set], [whole, masked], parts)).Should().Throw<ImageReadException>()
            .WithMessage("*good 21*");
    }

    [Fact]
    public void RunAll_MethodsThatAreNone_AreRefused()
    {
        FluentActions.Invoking(() => FewShotEvaluation.RunAll([Set], [], parts)).Should().Throw<ArgumentException>()
            .WithMessage("methods: expected one or more*got none.*");
        foreach (var lacking in new[] { null!, new EvaluatedMethod { Options = null! }, new() { Options = Small, Protocol = null! } })
        {
            FluentActions.Invoking(() => FewShotEvaluation.RunAll([Set], [new() { Options = Small }, lacking], parts))
                .Should().Throw<ArgumentException>().WithMessage("methods: *got 2, and of one there is null.*");
        }
    }

    [Fact]
    public void Run_Region_IsUsedAndMakesCellsOfItsOwn()
    {
        var whole = FewShotEvaluation.Run([Set], Small, parts, Protocol);
        // All but the place of the bars.
        var without = InspectionRegion.FromPolygons(80, 80, [], [[(16, 4), (64, 4), (64, 28), (16, 28)]]);
        var masked = FewShotEvaluation.Run([Set], Small with { Regions = new Dictionary<string, InspectionRegion> { ["bolt"] = without } }, parts, Protocol);
        masked.Cells.Should().OnlyContain(cell => cell.PixelAuroc == null, "no defective pixel is inspected");
        FewShotEvaluation.Run([Set], Small, parts, Protocol).Cells.Select(cell => cell.PixelAuroc).Should().Equal(whole.Cells.Select(cell => cell.PixelAuroc), "cells with a region are no cells without");
        FluentActions.Invoking(() => FewShotEvaluation.Run([Set], Small with { Regions = new Dictionary<string, InspectionRegion> { ["nut"] = without } }, parts, Protocol))
            .Should().Throw<ArgumentException>().WithMessage("Regions['nut']*'bolt'*");
    }

    [Fact]
    public void Run_Cancelled_LeavesWholeCells()
    {
        using var source = new CancellationTokenSource();
        var progress = new ProgressCallback(value =>
        {
            if (value.Cell is not null)
            {
                source.Cancel();
            }
        });
        FluentActions.Invoking(() => FewShotEvaluation.Run([Set], Small, parts, Protocol, progress: progress, cancellationToken: source.Token)).Should().Throw<OperationCanceledException>();
        Directory.GetFiles(folder).Should().ContainSingle().Which.Should().EndWith(".json");
    }

    [Fact]
    public void Run_OneKindOfImageOnly_TellsADashWhereThereIsNoFigure()
    {
        var onlyGood = new FewShotDataset("parts", [.. Set.Images.Where(image => image.IsAnomalous == false)]);
        var said = new List<string>();
        FewShotEvaluation.Run([onlyGood], Small, parts, new() { Shots = [1], Draws = 1 }, progress: new ProgressCallback(value => said.Add(value.Message)));
        said.Should().ContainMatch("parts/bolt, 1 shot(s), draw 0: image AUROC –, pixel AUROC – (*");
    }

    [Fact]
    public void Run_WrongImage_IsNamedBeforeAnythingIsRead()
    {
        parts.Wrong = "bad 21";
        FluentActions.Invoking(() => FewShotEvaluation.Run([Set], Small, parts, Protocol)).Should().Throw<ImageReadException>().WithMessage("*1 image(s) or mask(s)*bad 21*");
        parts.Reads.Should().Be(0);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private sealed class Parts : IEvaluationImages
    {
        public int Reads { get; private set; }

        public string? Wrong { get; set; }

        /// <summary>The image that is wider than the others.</summary>
        public string? Wide { get; set; }

        /// <summary>How long an image takes to read.</summary>
        public TimeSpan Delay { get; set; }

        public void Check(DatasetImage image)
        {
            if (image.Path == Wrong)
            {
                throw new ImageReadException($"'{image.Path}' is damaged.");
            }
        }

        public PixelBuffer Read(DatasetImage image)
        {
            Reads++;
            Thread.Sleep(Delay);
            return Part(image, image.IsAnomalous == true, image.Path == Wide ? 100 : 80);
        }

        public bool[] ReadMask(DatasetImage image, int side, ResizeMode mode)
        {
            var rows = Enumerable.Range(0, side * side);
            return image.MaskPath is null ? [] : [.. rows.Select(p => Math.Abs(((double)(p / side) / side) - 0.2) < 0.06 && Math.Abs(((double)(p % side) / side) - 0.5) < 0.2)];
        }

        private static PixelBuffer Part(DatasetImage image, bool defective, int width) => TestImages.Part(width, 80, int.Parse(image.Path.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), defective);
    }

    private sealed class ProgressCallback(Action<FewShotProgress> tell) : IProgress<FewShotProgress>
    {
        public void Report(FewShotProgress value) => tell(value);
    }
}
