using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Tests.Datasets;

public sealed class AnomalyDatasetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-data-").FullName;

    [Fact]
    public void List_MvTecProduct_FindsSplitsTypesAndMasks()
    {
        Touch("train/good/1.png", "train/good/0.png", "train/good/notes.txt", "test/good/5.jpg", "test/crack/2.bmp",
            "ground_truth/crack/2_mask.png", "test/hole/3.png", "ground_truth/hole/3.png");
        Short(AnomalyDataset.List(folder)).Should().Equal(
            "Train good 0.png", "Train good 1.png", "Test crack! 2.bmp 2_mask.png", "Test good 5.jpg", "Test hole! 3.png 3.png");
        AnomalyDataset.List(folder).Should().OnlyContain(image => image.ClassName == Path.GetFileName(folder));
    }

    [Fact]
    public void List_LocoProducts_FindsValidationAndSeveralMasks()
    {
        Touch("box/train/good/0.png", "box/validation/good/1.png", "box/test/logical_anomalies/2.png",
            "box/ground_truth/logical_anomalies/2/000.png", "box/ground_truth/logical_anomalies/2/001.png", "pin/train/good/0.png");
        var images = AnomalyDataset.List(folder);
        Short(images).Should().Equal("Train good 0.png", "Validation good 1.png", "Test logical_anomalies! 2.png 2", "Train good 0.png");
        images.Select(image => image.ClassName).Should().Equal("box", "box", "box", "pin");
    }

    [Fact]
    public void List_Btad_FindsProducts()
    {
        Touch("01/train/ok/0.bmp", "01/test/ok/1.bmp", "01/test/ko/2.bmp", "01/ground_truth/ko/2.png", "02/train/ok/0.png");
        var images = AnomalyDataset.List(folder);
        Short(images).Should().Equal("Train good 0.bmp", "Test ko! 2.bmp 2.png", "Test good 1.bmp", "Train good 0.png");
        images.Select(image => image.ClassName).Should().Equal("01", "01", "01", "02");
    }

    [Fact]
    public void List_VisA_FollowsItsTable()
    {
        Touch();
        Write("split_csv/1cls.csv", "object,split,label,image,mask\n"
            + "candle,train,normal,candle/Data/Images/Normal/0.JPG,\n"
            + "candle,test,anomaly,candle/Data/Images/Anomaly/1.JPG,candle/Data/Masks/Anomaly/1.png\n"
            + "pcb1,test,normal,\"pcb1/with, comma.JPG\",\n");
        var images = AnomalyDataset.List(folder);
        Short(images).Should().Equal("Train good 0.JPG", "Test anomaly! 1.JPG 1.png", "Test good with, comma.JPG");
        images.Select(image => image.ClassName).Should().Equal("candle", "candle", "pcb1");
        images[1].MaskPath.Should().Be(Path.Combine(folder, "candle/Data/Masks/Anomaly/1.png"));
    }

    [Fact]
    public void List_Kolektor_LabelsByMasks()
    {
        Touch("kos01/Part0.jpg", "kos01/Part0_label.bmp", "kos01/Part1.jpg", "kos01/Part1_label.bmp", "kos02/Part0.jpg",
            "kos02/Part0_label.bmp", "kos02/Part1.jpg", "kos02/Part1_label.bmp");
        Short(AnomalyDataset.List(folder, showsDefect: mask => mask.EndsWith("kos01/Part1_label.bmp", StringComparison.Ordinal)))
            .Should().Equal(
                "Train good Part0.jpg", "Test defect! Part1.jpg Part1_label.bmp", "Train good Part0.jpg", "Test good Part1.jpg");
        FluentActions.Invoking(() => AnomalyDataset.List(folder)).Should().Throw<ArgumentNullException>().WithMessage("*only masks tell*");
    }

    [Fact]
    public void List_Kolektor2_TakesItsSplit()
    {
        Touch("train/10.png", "train/10_GT.png", "train/11.png", "train/11_GT.png", "test/20.png", "test/20_GT.png");
        Short(AnomalyDataset.List(folder, showsDefect: mask => mask.Contains("11_GT", StringComparison.Ordinal)))
            .Should().Equal("Train good 10.png", "Train defect! 11.png 11_GT.png", "Test good 20.png");
    }

    [Fact]
    public void List_GoodAndOthers_LabelsByFolder()
    {
        Touch("good/a.png", "scratched/b.png", "ground_truth/scratched/b.png", "query/c.png");
        Short(AnomalyDataset.List(folder)).Should().Equal("Train good a.png", "Test query? c.png", "Test scratched! b.png b.png");
    }

    [Fact]
    public void List_PlainImages_AreForFitting()
    {
        Touch("a.png", "b.JPG");
        Short(AnomalyDataset.List(folder)).Should().Equal("Train good a.png", "Train good b.JPG");
    }

    [Theory]
    [InlineData("manifest.csv",
        "image,class,split,label,defect,mask\na.png,bolt,train,0,,\n\"b.png\",bolt,test,1,scratch,m/b.png\nc.png,,test,,,\n")]
    [InlineData("manifest.jsonl", """
        {"image":"a.png","class":"bolt","split":"train","label":0}
        {"image":"b.png","class":"bolt","split":"test","label":true,"defect":"scratch","mask":"m\\b.png"}

        {"image":"c.png","split":"test","label":null}
        """)]
    public void List_Manifest_FollowsItsTable(string name, string content)
    {
        Write(name, content);
        foreach (var path in (string[])[folder, Path.Combine(folder, name)])
        {
            var images = AnomalyDataset.List(path);
            Short(images).Should().Equal("Train good a.png", "Test scratch! b.png b.png", "Test unknown? c.png");
            images.Select(image => image.ClassName).Should().Equal("bolt", "bolt", "object");
            images[1].MaskPath.Should().Be(Path.Combine(folder, "m/b.png"));
        }
    }

    [Fact]
    public void List_NamesInCapitals_AreFound()
    {
        Touch("train/good/0.PNG", "test/crack/IMG_2.JPG", "ground_truth/crack/img_2_MASK.PNG", "test/crack/IMG_3.webp",
            "ground_truth/crack/IMG_3.GIF", "test/crack/._IMG_3.webp");
        Short(AnomalyDataset.List(folder))
            .Should().Equal("Train good 0.PNG", "Test crack! IMG_2.JPG img_2_MASK.PNG", "Test crack! IMG_3.webp IMG_3.GIF");
    }

    [Fact]
    public void LeftOut_KindsThatAreNotRead_AreNamed()
    {
        Touch("train/good/0.png", "train/good/1.tif", "test/crack/2.heic", "ground_truth/crack/2_mask.tiff", "readme.txt");
        AnomalyDataset.LeftOut(folder).Select(Path.GetFileName).Should().Equal("2_mask.tiff", "2.heic", "1.tif");
    }

    [Fact]
    public void List_KolektorMaskThatCannotBeRead_LeavesTheImageUnlabelledAndUnfitted()
    {
        Touch("train/10.png", "train/10_GT.png", "train/11.png", "train/11_GT.png");
        Short(AnomalyDataset.List(folder,
            showsDefect: mask => mask.Contains("11_GT", StringComparison.Ordinal) ? throw new ImageReadException("half") : false))
            .Should().Equal("Train good 10.png", "Test unknown? 11.png 11_GT.png");
    }

    [Theory]
    [InlineData("image;split;label\r\na,1.png;train;0\r\n\"b;2.png\";test;1\r\n")]
    [InlineData("\uFEFFimage;split;label\r\na,1.png;train;0\r\nb;test;1\r\n")]
    [InlineData("sep=;\r\nimage;split;label\r\na,1.png;train;0\r\nb;test;1\r\n")]
    [InlineData("\r\n\r\nsep=;\r\nimage;split;label\r\na,1.png;train;0\r\nb;test;1\r\n")]
    [InlineData("image\tsplit\tlabel\na,1.png\ttrain\t0\nb\ttest\t1\n")]
    [InlineData("\"image\",\"split\",\"label, or not;;;\",label\n\"a,1.png\",train,,0\nb,test,,1\n")]
    public void List_ManifestOfASpreadsheet_IsReadWhateverIsBetweenItsFields(string content)
    {
        Write("manifest.csv", content);
        var images = AnomalyDataset.List(folder);
        images.Select(image => (image.Split, image.IsAnomalous)).Should().Equal((DatasetSplit.Train, false), (DatasetSplit.Test, true));
        Path.GetFileName(images[0].Path).Should().Be("a,1.png");
    }

    [Fact]
    public void List_LabelWithDecimalComma_IsRefused()
    {
        Write("manifest.csv", "image;label\na.png;0,0\n");
        FluentActions.Invoking(() => AnomalyDataset.List(folder))
            .Should().Throw<InsufficientDataException>().WithMessage("*'label'*'0,0'*");
    }

    [Theory]
    [InlineData("manifest.csv", "image,label\na.png\n", "*expected 2 fields*got 1*")]
    [InlineData("manifest.csv", "picture\na.png\n", "*line 2: 'image': expected a value*columns picture*")]
    [InlineData("manifest.csv", "image,label\na.png,maybe\n", "*line 2: 'label'*'maybe'*")]
    [InlineData("manifest.csv", "image,split\na.png,dev\n", "*'split'*train, validation or test*'dev'*")]
    [InlineData("manifest.csv", "", "*is empty*")]
    [InlineData("manifest.jsonl", "{\"image\":\"a.png\"}\n[1]\n", "*line 2: expected a JSON object*")]
    [InlineData("manifest.jsonl", "{\"image\"\n", "*line 1: expected a JSON object*")]
    [InlineData("manifest.csv", "image,split\na.png,test\n", "*no images to fit on*")]
    public void List_BrokenManifest_NamesTheLine(string name, string content, string message)
    {
        Write(name, content);
        FluentActions.Invoking(() => AnomalyDataset.List(folder)).Should().Throw<InsufficientDataException>().WithMessage(message);
    }

    [Theory]
    [InlineData(DatasetLayout.Auto, "*'train/good'*'good'*")]
    [InlineData(DatasetLayout.MvTec, "*MVTec AD*'train/good'*")]
    [InlineData(DatasetLayout.Btad, "*BTAD*'train/ok'*")]
    [InlineData(DatasetLayout.VisA, "*VisA*split_csv/1cls.csv*")]
    [InlineData(DatasetLayout.Kolektor, "*Kolektor*'kos01'*'train'*")]
    [InlineData(DatasetLayout.Manifest, "*'manifest.csv' or 'manifest.jsonl'*")]
    [InlineData(DatasetLayout.Folders, "*'good'*")]
    public void List_EmptyFolder_SaysWhatWasExpected(DatasetLayout layout, string message)
        => FluentActions.Invoking(() => AnomalyDataset.List(folder, layout))
            .Should().Throw<InsufficientDataException>().WithMessage(message);

    [Fact]
    public void List_NoFolder_SaysSo()
        => FluentActions.Invoking(() => AnomalyDataset.List(Path.Combine(folder, "absent")))
            .Should().Throw<DirectoryNotFoundException>().WithMessage("*absent*");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Split, type (! defective, ? unknown), image and mask.</summary>
    private static IEnumerable<string> Short(IEnumerable<DatasetImage> images) => images.Select(image =>
        ($"{image.Split} {image.DefectType}{image.IsAnomalous switch { true => "!", false => "", null => "?" }} "
            + $"{Path.GetFileName(image.Path)} {Path.GetFileName(image.MaskPath)}").TrimEnd());

    private void Touch(params string[] names)
    {
        foreach (var name in names)
        {
            Write(name, "");
        }
    }

    private void Write(string name, string content)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
