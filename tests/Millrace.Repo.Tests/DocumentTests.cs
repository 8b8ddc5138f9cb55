using System.Text.RegularExpressions;

namespace Millrace.Repo.Tests;

/// <summary>Documents are true as far as a machine can tell.</summary>
public partial class DocumentTests
{
    static readonly string[] Documents = [.. Repository.Files(".md").Where(path => !path.Contains("/scenarios/", StringComparison.Ordinal))];

    [Fact]
    public void Every_relative_link_resolves()
    {
        var broken = Documents.SelectMany(path => Link().Matches(Fence().Replace(Repository.Read(path), "")).Select(match => (path, target: match.Groups[1].Value)))
            .Where(link => !link.target.Contains("://", StringComparison.Ordinal) && !link.target.StartsWith('#') && !link.target.StartsWith("mailto:", StringComparison.Ordinal))
            .Where(link => !Exists(link.path, link.target.Split('#')[0]));

        Assert.Empty(broken);
    }

    [Fact]
    public void Every_source_file_that_a_document_names_exists()
    {
        var missing = Documents.Where(path => path != "CHANGELOG.md")
            .SelectMany(path => SourcePath().Matches(Repository.Read(path)).Select(match => (path, source: match.Groups[1].Value)))
            .Where(named => !File.Exists(Path.Combine(Repository.Root, named.source)) && !Directory.Exists(Path.Combine(Repository.Root, named.source)));

        Assert.Empty(missing);
    }

    [Fact]
    public void Every_project_has_a_short_readme()
    {
        foreach (var project in Repository.Files(".csproj").Where(path => path.StartsWith("src/", StringComparison.Ordinal)))
        {
            var readme = Path.GetDirectoryName(project) + "/README.md";

            Assert.True(File.Exists(Path.Combine(Repository.Root, readme)), $"{readme} is missing");
            Assert.InRange(Repository.Read(readme).Count(c => c == '\n'), 3, 40);
        }
    }

    [Fact]
    public void Every_dependency_has_a_line_in_the_rationale()
    {
        var rationale = Repository.Read("docs/rationale.md");
        var packages = Package().Matches(Repository.Read("Directory.Packages.props")).Select(match => match.Groups[1].Value);

        Assert.DoesNotContain(packages, name => !rationale.Contains(name, StringComparison.Ordinal));
    }

    static bool Exists(string document, string target)
    {
        var path = Path.Combine(Repository.Root, Path.GetDirectoryName(document)!, Uri.UnescapeDataString(target));
        return File.Exists(path) || Directory.Exists(path);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"`((?:src|guests|tests|bench|samples|docs)/[A-Za-z0-9_./-]+?)`")]
    private static partial Regex SourcePath();

    [GeneratedRegex("PackageVersion Include=\"([^\"]+)\"")]
    private static partial Regex Package();
}
