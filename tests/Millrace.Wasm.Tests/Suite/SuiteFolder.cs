using Millrace.Wasm.Text;

namespace Millrace.Wasm.Tests.Suite;

/// <summary>The official suite: MILLRACE_TESTSUITE names its folder.</summary>
static class SuiteFolder
{
    public static string? Path { get; } = Environment.GetEnvironmentVariable("MILLRACE_TESTSUITE") switch
    {
        null or "" => null,
        var path => path,
    };

    public static void Require()
    {
        Skip.If(Path is null, "MILLRACE_TESTSUITE is not set: it names the folder of the official suite");
        Assert.True(Directory.Exists(Path), $"MILLRACE_TESTSUITE names \"{Path}\", which is no folder");
    }

    /// <summary>Scripts by their path inside the folder.</summary>
    public static IEnumerable<string> Scripts() =>
        Directory.Exists(Path)
            ? WastScript.FilesIn(Path).Concat(WastScript.FilesIn(System.IO.Path.Combine(Path, "proposals", "threads")))
                .Select(static file => System.IO.Path.GetRelativePath(Path!, file))
            : [];

    public static string PathOf(string script) => System.IO.Path.Combine(Path!, script);

    /// <summary>Assertions in a script, counted by its tokens alone.</summary>
    public static int CountAssertions(string script)
    {
        var list = Lexer.Read(TextSource.FromUtf8(File.ReadAllBytes(PathOf(script))));
        var cursor = new Cursor(list);
        var count = 0;
        for (; cursor.Kind != TokenKind.End; cursor.Skip())
        {
            if (cursor.Next.Kind == TokenKind.Keyword && cursor.SpanOf(cursor.Next).StartsWith("assert_")) count++;
        }

        return count;
    }
}
