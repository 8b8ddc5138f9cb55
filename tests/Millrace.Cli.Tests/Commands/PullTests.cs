using Millrace.Cli.Pulling;
using Millrace.Cli.Reviewing;
using Millrace.Inference;
using Millrace.Inference.Tests.Store;

namespace Millrace.Cli.Tests.Commands;

/// <summary><c>models pull, show, rm</c> against a stand-in of the hub.</summary>
public sealed class PullTests
{
    [Fact]
    public async Task A_model_is_pulled_shown_listed_and_removed()
    {
        await using var hub = await FakeHub.StartAsync();
        hub.Files["tiny-Q8_0.gguf"] = await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "models", "tinychat-q8_0.gguf"));
        await using var shell = new Shell { User = Directory.CreateTempSubdirectory("millrace-user-").FullName };
        shell.Set("MILLRACE_HUB", hub.Address.ToString());

        var pulled = await shell.RunAsync(["models", "pull", FakeHub.Source]);
        var shown = await shell.RunAsync(["models", "show", "tiny-Q8_0"]);
        var json = await shell.RunAsync(["models", "show", "tiny-Q8_0", "--json"]);
        var template = await shell.RunAsync(["models", "show", "tiny-Q8_0", "--template"]);
        var listed = await shell.OnDataAsync("models", "list");
        var again = await shell.RunAsync(["models", "pull", FakeHub.Source, "--json"]);
        var removed = await shell.RunAsync(["models", "rm", "tiny-Q8_0"]);
        var gone = await shell.RunAsync(["models", "rm", "tiny-Q8_0"]);

        Assert.StartsWith("tiny-Q8_0 is there: ", pulled.Output, StringComparison.Ordinal);
        Assert.Contains("architecture  llama", shown.Output, StringComparison.Ordinal);
        Assert.Equal("Q8_0", (string?)json.Json["weights"]);
        Assert.Equal((string?)json.Json["template"], template.Output.TrimEnd('\n'));
        Assert.Contains("tiny-Q8_0", listed.Output, StringComparison.Ordinal);
        Assert.True((bool)again.Json["was_there"]!);
        Assert.Equal((0, 2), (removed.Code, gone.Code));
        Assert.Contains("there is no model tiny-Q8_0", gone.Words, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(shell.User, "models")));
    }

    [Fact]
    public async Task A_model_of_another_folder_is_not_removed_and_a_bad_hub_is_refused()
    {
        await using var shell = new Shell();
        shell.Set("MILLRACE_HUB", "nowhere");

        var shipped = await shell.RunAsync(["models", "rm", "tinychat-q8_0"]);
        var pulled = await shell.RunAsync(["models", "pull", "hf:org/repo"]);
        var source = await shell.RunAsync(["models", "show", "nothing-like-it"]);

        Assert.Contains("only what lies there is deleted", shipped.Words, StringComparison.Ordinal);
        Assert.Contains("MILLRACE_HUB is no http address: nowhere", pulled.Words, StringComparison.Ordinal);
        Assert.Contains("there is no model nothing-like-it", source.Words, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_offered_model_that_cannot_be_had_is_said_so_and_is_no_failure_of_the_review()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell();
        shell.Set("MILLRACE_HUB", "nowhere");
        using var words = new StringWriter();
        using var input = new StringReader("y\n");
        var screen = new Screen(input, TextWriter.Null, words) { IsInteractive = true };
        File.Delete(Path.Combine(shell.User, "model-offered"));
        await using var choice = await ModelChoice.MakeAsync(new(null, IsRemote: false), shell.Environment, null, screen, default);

        await ModelOffer.MakeAsync(screen, shell.Environment, choice, default);

        Assert.Contains("MILLRACE_HUB is no http address: nowhere", words.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_model_is_said_to_be_none()
    {
        await using var shell = new Shell();
        var file = Path.Combine(shell.Data, "page.gguf");
        await File.WriteAllTextAsync(file, "<html>");

        var shown = await shell.RunAsync(["models", "show", file]);

        Assert.Equal(1, shown.Code);
        Assert.Contains("it does not begin with GGUF", shown.Words, StringComparison.Ordinal);
    }
}
