using Millrace.Inference;

namespace Millrace.Server.Tests;

public sealed class LocalModelsTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-models-");
    readonly CancellationTokenSource _timeout = new(TimeSpan.FromSeconds(120));

    static string Tiny => Path.Combine(AppContext.BaseDirectory, "models", "tinychat-q8_0.gguf");

    ModelCheckStore Store => new(Path.Combine(_folder.FullName, "checks.json"));

    LocalModels Open(params string[] folders) => new(
        new LocalModelOptions([.. folders], Tiny,
            new(["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "inference-worker"])), Store);

    [SkippableFact]
    public async Task The_tiny_model_fails_the_check_and_is_still_the_last_resort()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var models = Open();

        var chosen = await models.ChooseAsync(null, _timeout.Token);

        Assert.Equal(("tinychat-q8_0", false), (chosen!.Name, chosen.Passed));
        Assert.NotEmpty(chosen.Reason);
        Assert.Equal("tinychat-q8_0", (await models.ListAsync(_timeout.Token))[0].Name);
    }

    [SkippableFact]
    public async Task A_small_chat_model_fails_the_check_and_the_verdict_is_remembered()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(folder is null, "MILLRACE_MODELS names no folder of test models");
        await using var models = Open(folder!);
        var file = models.Files().Single(file => file.Name.StartsWith("SmolLM2-135M", StringComparison.Ordinal));

        var checkedNow = await models.CheckAsync(file, isForced: false, null, _timeout.Token);
        var asked = 0;
        var recalled = await models.CheckAsync(file, isForced: false, new Count(() => asked++), _timeout.Token);

        Assert.False(checkedNow.Passed);
        Assert.Equal(checkedNow, recalled);
        Assert.Equal(0, asked);
    }

    [SkippableFact]
    public void A_link_is_as_large_as_what_it_leads_to_and_none_where_it_leads_nowhere()
    {
        Skip.If(OperatingSystem.IsWindows(), "links need a privilege there");
        string At(string name) => Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(At("a.gguf"), new byte[1000]);
        File.WriteAllBytes(At("blob"), new byte[2000]);
        File.CreateSymbolicLink(At("b.gguf"), At("blob"));
        File.CreateSymbolicLink(At("c.gguf"), At("gone"));
        File.CreateSymbolicLink(At("d.gguf"), At("d.gguf"));

        var files = Open(_folder.FullName).Files();

        Assert.Equal([("b", 2000), ("a", 1000)], files.SkipLast(1).Select(file => (file.Name, file.Bytes)));
    }

    [Fact]
    public void Files_come_largest_first_and_the_tiny_one_last()
    {
        File.WriteAllBytes(Path.Combine(_folder.FullName, "a.gguf"), new byte[10]);
        File.WriteAllBytes(Path.Combine(_folder.FullName, "b.gguf"), new byte[20]);

        var names = Open(_folder.FullName).Files().Select(file => file.Name);

        Assert.Equal(["b", "a", "tinychat-q8_0"], names);
    }

    [Fact]
    public void A_damaged_store_is_an_empty_one()
    {
        var path = Path.Combine(_folder.FullName, "checks.json");
        File.WriteAllText(path, "{\"Version\":1,\"Checks\":");
        var store = new ModelCheckStore(path);

        Assert.Null(store.Find("x"));
        store.Remember("x", new(new(true, 9, 10, ""), 4096));

        Assert.True(new ModelCheckStore(path).Find("x")!.Report.Passed);
    }

    public void Dispose()
    {
        _timeout.Dispose();
        _folder.Delete(recursive: true);
    }

    sealed class Count(Action counted) : IProgress<(ModelFile, ModelCheckReport)>
    {
        public void Report((ModelFile, ModelCheckReport) value) => counted();
    }
}
