using Millrace.Cli.Reviewing;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>Code leaves the machine only when a person said so.</summary>
public sealed class ModelChoiceTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-choice-");
    readonly StringWriter _words = new();

    CliEnvironment Environment => new(name => name switch
    {
        "OPENAI_BASE_URL" => "http://models.example:8000/v1",
        "OPENAI_MODEL" => "reader",
        _ => null,
    })
    {
        Folder = _folder.FullName,
    };

    async Task<string?> ChooseAsync(ModelWish wish, string? repository, string? answer)
    {
        var screen = new Screen(new StringReader(answer ?? ""), TextWriter.Null, _words) { IsInteractive = answer is not null };
        await using var choice = await ModelChoice.MakeAsync(wish, Environment, repository, screen, default);
        return choice.Remote?.Name;
    }

    [Fact]
    public async Task Without_a_person_and_without_a_word_nothing_leaves() =>
        Assert.Null(await ChooseAsync(new(null, false), "/home/ada/wheel", null));

    [Fact]
    public async Task Who_says_no_is_asked_again_and_nothing_leaves()
    {
        Assert.Null(await ChooseAsync(new(null, false), "/home/ada/wheel", "n\n"));
        Assert.Null(await ChooseAsync(new(null, false), "/home/ada/wheel", null));

        Assert.Contains("reader at models.example:8000", _words.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_agreed_once_is_not_asked_again_for_that_repository_and_only_for_it()
    {
        Assert.Equal("reader", await ChooseAsync(new(null, false), "/home/ada/wheel", "y\n"));

        Assert.Equal("reader", await ChooseAsync(new(null, false), "/home/ada/wheel", null));
        Assert.Null(await ChooseAsync(new(null, false), "/home/ada/other", null));
    }

    [Theory]
    [InlineData(null, true, "reader")]
    [InlineData("other-reader", false, "other-reader")]
    public async Task Who_asks_for_it_gets_it_and_is_told_where_code_goes(string? model, bool isRemote, string expected)
    {
        Assert.Equal(expected, await ChooseAsync(new(model, isRemote), null, null));

        Assert.Contains($"code leaves this machine: {expected} at models.example:8000", _words.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_file_that_is_not_there_is_no_name_at_the_endpoint()
    {
        var error = await Assert.ThrowsAsync<CommandException>(() => ChooseAsync(new("gone.gguf", false), null, null));

        Assert.Equal("there is no model file gone.gguf", error.Message);
    }

    public void Dispose()
    {
        _words.Dispose();
        _folder.Delete(recursive: true);
    }
}
