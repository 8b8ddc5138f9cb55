using System.Text.RegularExpressions;

namespace Millrace.Repo.Tests;

/// <summary>How our code reads, where a machine can tell.</summary>
public partial class StyleTests
{
    // The aim is 110, and one looks twice above 120; beyond this nobody reads on.
    const int LineMax = 140;
    const int FileMax = 500;
    const int TableMax = 1000;

    /// <summary>Tables and the emitters of one family, which one reads as one.</summary>
    static readonly HashSet<string> Tables = [.. Repository.Read("tests/Millrace.Repo.Tests/long-files.txt")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Select(line => line.Split(' ')[0])];

    static readonly string[] BannedEndings =
        ["Manager", "Helper", "Helpers", "Util", "Utils", "Common", "Base", "Impl", "Wrapper", "Processor", "Handler", "Service", "Info", "Data", "Item"];

    static readonly string[] BannedFolders =
        ["Interfaces", "Models", "Helpers", "Extensions", "Enums", "Exceptions", "Services", "Common", "Utils"];

    static IEnumerable<string> Sources => Repository.Files(".cs");

    [Fact]
    public void Files_are_short_enough_to_hold_in_mind()
    {
        var tooLong = Sources.Select(path => (path, lines: Repository.Read(path).Count(c => c == '\n')))
            .Where(file => file.lines > (Tables.Contains(file.path) ? TableMax : FileMax));

        Assert.Empty(tooLong);
    }

    [Fact]
    public void Every_long_file_that_is_listed_exists() => Assert.DoesNotContain(Tables, path => !Sources.Contains(path));

    [Fact]
    public void Lines_fit_a_screen()
    {
        // Guests written inline and long literals of tests are read as data.
        var tooLong = Sources.Where(path => path.StartsWith("src/", StringComparison.Ordinal))
            .SelectMany(path => Repository.Read(path).Split('\n').Select((line, i) => (path, line: i + 1, length: line.Length)))
            .Where(line => line.length > LineMax);

        Assert.Empty(tooLong);
    }

    [Fact]
    public void Type_names_say_what_the_thing_is()
    {
        var banned = Sources.SelectMany(path => TypeName().Matches(Repository.Read(path)).Select(match => (path, name: match.Groups[1].Value)))
            .Where(type => BannedEndings.Any(ending => type.name.EndsWith(ending, StringComparison.Ordinal)));

        Assert.Empty(banned);
    }

    [Fact]
    public void Folders_are_stages_or_features_never_kinds()
    {
        var banned = Sources.Where(path => path.StartsWith("src/", StringComparison.Ordinal) && path.Split('/')[2..^1].Any(BannedFolders.Contains));

        Assert.Empty(banned);
    }

    [Fact]
    public void Nothing_is_left_for_later_in_the_code()
    {
        var left = Repository.Files(".cs", ".rs", ".sh")
            .SelectMany(path => Repository.Read(path).Split('\n').Select((text, i) => (path, line: i + 1, text)))
            .Where(line => Leftover().IsMatch(line.text) && !IsAboutLeftovers(line.path));

        Assert.Empty(left);
    }

    // The review rules look for leftovers in other people's code.
    static bool IsAboutLeftovers(string path) => path.StartsWith("guests/code_review/", StringComparison.Ordinal);

    [Fact]
    public void The_root_is_one_screen()
    {
        var entries = Repository.Files().Select(path => path.Split('/')[0]).Distinct().ToList();

        Assert.True(entries.Count <= 20, $"{entries.Count} entries: {string.Join(' ', entries)}");
    }

    [Fact]
    public void Text_files_end_lines_with_a_line_feed()
    {
        var carriage = Repository.Files(".cs", ".md", ".yaml", ".json", ".rs", ".csproj", ".props").Where(
            path => Repository.Read(path).Contains("\r\n", StringComparison.Ordinal));

        Assert.DoesNotContain(carriage, path => !path.StartsWith("samples/", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^\s*(?:public |internal |private |protected |static |sealed |abstract |readonly |partial |unsafe |file |ref )*(?:class|struct|record(?: class| struct)?|interface|enum)\s+([A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\bTO[D]O\b(?! #\d)|\bFIX[M]E\b|\bXX[X]\b|#re[g]ion|Not[I]mplementedException")]
    private static partial Regex Leftover();
}
