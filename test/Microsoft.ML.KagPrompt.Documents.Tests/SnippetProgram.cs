using System.Reflection;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Microsoft.ML.KagPrompt.Documents.Tests;

/// <summary>
/// Blocks of C# that continue one another on a page, as the program a reader makes of them: usings first, types last. A block that begins
/// with usings begins a program.
/// </summary>
internal sealed class SnippetProgram
{
    // What a console project of .NET 10 has without asking.
    private const string Implicit = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions Language = new(LanguageVersion.Latest);

    private static readonly Lazy<MetadataReference[]> References = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(IsManaged)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    private readonly List<FencedBlock> blocks = [];
    private readonly string page;

    private SnippetProgram(string page) => this.page = page;

    /// <summary>The programs of a page, in order.</summary>
    public static IReadOnlyList<SnippetProgram> FromPage(MarkdownPage page)
    {
        var programs = new List<SnippetProgram>();
        foreach (var block in page.Blocks.Where(block => block.Language == "csharp"))
        {
            if (programs.Count == 0 || Parse(block).Usings.Count > 0)
            {
                programs.Add(new SnippetProgram(page.Name));
            }

            programs[^1].blocks.Add(block);
        }

        return programs;
    }

    /// <summary>Compiles it and runs it to its end. What it writes to the console is returned.</summary>
    public string Run()
    {
        var main = Compile().EntryPoint!;
        var (output, error, written) = (Console.Out, Console.Error, new StringWriter());
        Console.SetOut(written);
        Console.SetError(written);
        try
        {
            // The compiler makes an entry point that waits where a program awaits.
            main.Invoke(null, main.GetParameters().Length == 0 ? [] : [Array.Empty<string>()]);
            return written.ToString();
        }
        catch (TargetInvocationException fault)
        {
            var place = $"{page}, the program that begins at line {blocks[0].Line}";
            throw new InvalidOperationException($"{place}: {fault.InnerException}", fault.InnerException);
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    private Assembly Compile()
    {
        SyntaxTree[] trees = [CSharpSyntaxTree.ParseText(Source(), Language, page), CSharpSyntaxTree.ParseText(Implicit, Language)];
        var compilation = CSharpCompilation.Create($"Snippets{Guid.NewGuid():N}", trees, References.Value,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var stream = new MemoryStream();
        var faults = compilation.Emit(stream).Diagnostics.Where(found => found.Severity >= DiagnosticSeverity.Warning);
        faults.Select(fault => $"{fault.Location.GetMappedLineSpan()}: {fault.Id} {fault.GetMessage()}")
            .Should().BeEmpty($"{page} must compile as printed");
        return Assembly.Load(stream.ToArray());
    }

    private string Source()
    {
        var (usings, statements, types) = (new StringBuilder(), new StringBuilder(), new StringBuilder());
        foreach (var block in blocks)
        {
            var unit = Parse(block);
            usings.Append(unit.Usings.ToFullString());
            foreach (var member in unit.Members)
            {
                var line = block.Line + unit.SyntaxTree.GetLineSpan(member.FullSpan).StartLinePosition.Line;
                (member is GlobalStatementSyntax ? statements : types).Append($"#line {line} \"{page}\"\n")
                    .Append(member.ToFullString()).Append('\n');
            }
        }

        return $"{usings}\n{statements}\n{types}";
    }

    private static CompilationUnitSyntax Parse(FencedBlock block)
        => CSharpSyntaxTree.ParseText(block.Text, Language).GetCompilationUnitRoot();

    private static bool IsManaged(string path)
    {
        try
        {
            AssemblyName.GetAssemblyName(path);
            return true;
        }
        catch (BadImageFormatException)
        {
            return false;
        }
    }
}
