using Millrace.Inference;
using Millrace.Inference.Tests.Llama;

namespace Millrace.Cli.Tests.Commands;

/// <summary>A model with adapters under a name of its own.</summary>
public sealed class AddTests
{
    [SkippableFact]
    public async Task A_model_with_an_adapter_goes_by_its_name_until_it_is_removed()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell { User = Directory.CreateTempSubdirectory("millrace-user-").FullName };
        var folder = Directory.CreateDirectory(Path.Combine(shell.User, "models")).FullName;
        var (adapter, wide) = (Path.Combine(shell.Data, "a=b.gguf"), Path.Combine(shell.Data, "wide.gguf"));
        new RandomModel(1).Write(Path.Combine(folder, "plain.gguf"));
        new RandomModel(1).WriteAdapter(adapter);
        new RandomModel(1, width: 64).WriteAdapter(wide);

        var unfit = await shell.RunAsync(["models", "add", "clerk", "plain", "--lora", wide]);
        var added = await shell.RunAsync(["models", "add", "clerk", "plain", "--lora", $"{adapter}=0.75"]);
        var again = await shell.RunAsync(["models", "add", "clerk", "plain", "--lora", adapter]);
        var listed = (await shell.OnDataAsync("models", "list", "--json")).Json.AsArray();
        var shown = await shell.RunAsync(["models", "show", "clerk"]);
        var said = await shell.RunAsync(["chat", "clerk", "-p", "abc", "--json"]);
        File.Delete(adapter);
        var without = await shell.OnDataAsync("models", "list", "--json");
        var gone = await shell.RunAsync(["chat", "clerk", "-p", "abc", "--json"]);
        var removed = await shell.RunAsync(["models", "rm", "clerk"]);

        Assert.Equal(1, unfit.Code);
        Assert.Contains("wide.gguf cannot be used with plain.gguf: ", unfit.Words, StringComparison.Ordinal);
        Assert.Contains("incorrect shape", unfit.Words, StringComparison.Ordinal);
        Assert.Equal((0, "clerk is there: plain.gguf with 1 adapter"), (added.Code, added.Output.Trim()));
        Assert.Contains("there is a model clerk already", again.All, StringComparison.Ordinal);
        Assert.Equal(["plain", "clerk"], listed.Select(static entry => (string)entry!["name"]!).Take(2));
        Assert.Contains($"{adapter}, scale 0.75", shown.Output, StringComparison.Ordinal);
        Assert.Equal(0, said.Code);
        Assert.Equal((0, 3), (without.Code, without.Json.AsArray().Count));
        Assert.Contains("the adapter a=b.gguf is not there", gone.All, StringComparison.Ordinal);
        Assert.Equal(0, removed.Code);
        Assert.Equal([Path.Combine(folder, "plain.gguf")], Directory.GetFiles(folder));
    }

    [Theory]
    [InlineData("clerk", "nothing", "x.gguf", "there is no model nothing")]
    [InlineData("clerk", "tinychat-q8_0", "/nowhere/x.gguf", "there is no file /nowhere/x.gguf")]
    [InlineData("clerk", "tinychat-q8_0", "x.gguf=much", "what is behind = is a number")]
    [InlineData("../clerk", "tinychat-q8_0", "tinychat-q8_0", "cannot be a model's name")]
    public async Task What_cannot_be_added_is_said(string name, string model, string adapter, string words)
    {
        await using var shell = new Shell { User = Directory.CreateTempSubdirectory("millrace-user-").FullName };

        var answer = await shell.RunAsync(["models", "add", name, model, "--lora", adapter]);

        Assert.NotEqual(0, answer.Code);
        Assert.Contains(words, answer.All, StringComparison.Ordinal);
    }
}
