using Microsoft.ML.KagPrompt.Station.Reports;

namespace Microsoft.ML.KagPrompt.Station.Tests.Reports;

public sealed class SystemFontsTests
{
    [Fact]
    public void Find_WithoutAnyFont_SaysWhatToInstall()
        => FluentActions.Invoking(() => SystemFonts.Find([Path.GetTempPath()])).Should().Throw<InvalidOperationException>()
            .WithMessage("*fonts-dejavu-core*");
}
