using System.Text.RegularExpressions;

namespace Millrace.Repo.Tests;

/// <summary>The arrows of docs/architecture.md: who may know whom.</summary>
public partial class ArrowTests
{
    static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Millrace.Wasm"] = [],
        ["Millrace.Wasi"] = ["Millrace.Wasm"],
        ["Millrace.Sandbox"] = ["Millrace.Wasm", "Millrace.Wasi", "Millrace.Nn"],
        ["Millrace.Nn"] = ["Millrace.Wasm"],
        ["Millrace.Inference"] = ["Millrace.Nn", "Millrace.Wasi"],
        ["Millrace.Flows"] = ["Millrace.Sandbox"],
        ["Millrace.Server"] = ["Millrace.Flows", "Millrace.Inference"],
        ["Millrace.Cli"] = ["Millrace.Server"],
    };

    static IEnumerable<string> Projects => Repository.Files(".csproj").Where(path => path.StartsWith("src/", StringComparison.Ordinal));

    [Fact]
    public void Projects_reference_only_what_the_arrows_allow()
    {
        foreach (var path in Projects)
        {
            var references = ProjectReference().Matches(Repository.Read(path)).Select(match => match.Groups[1].Value);

            Assert.Equal(Allowed[Path.GetFileNameWithoutExtension(path)].Order(), references.Order());
        }
    }

    [Fact]
    public void Flows_and_the_engine_name_no_vendor_and_no_http_server()
    {
        // Integrations are guests: a vendor's name in the platform is a border crossed.
        foreach (var path in Repository.Files(".cs").Where(path => path.StartsWith("src/Millrace.Flows/", StringComparison.Ordinal)))
        {
            var code = Comment().Replace(Repository.Read(path), "");

            Assert.False(Vendor().IsMatch(code), $"{path} names a vendor");
            Assert.DoesNotContain("Microsoft.AspNetCore", code, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Unsafe_code_and_native_calls_live_in_four_places_only()
    {
        string[] places = ["src/Millrace.Wasm/", "src/Millrace.Wasi/Posix/", "src/Millrace.Inference/Native/", "src/Millrace.Sandbox/Confinement/"];
        var offenders = Repository.Files(".cs")
            .Where(path => path.StartsWith("src/", StringComparison.Ordinal) && !places.Any(place => path.StartsWith(place, StringComparison.Ordinal)))
            .Where(path => Native().IsMatch(Comment().Replace(Repository.Read(path), "")));

        Assert.Empty(offenders);
    }

    [GeneratedRegex("ProjectReference Include=\"[^\"]*/([^/\"]+)\\.csproj\"")]
    private static partial Regex ProjectReference();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"github|gitlab|openai|slack", RegexOptions.IgnoreCase)]
    private static partial Regex Vendor();

    // A message may end with the word, as one of Jinja's does.
    [GeneratedRegex(@"\bunsafe\b(?!\.)|\[(LibraryImport|DllImport)\b")]
    private static partial Regex Native();
}
