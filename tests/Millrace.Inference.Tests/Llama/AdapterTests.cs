using Millrace.Inference.Llama;
using static Millrace.Inference.Tests.Backends.TextModels;

namespace Millrace.Inference.Tests.Llama;

/// <summary>LoRA adapters beside the same numbers merged into the weights.</summary>
public sealed class AdapterTests : IAsyncLifetime
{
    const float Scale = 0.75f;

    readonly LocalWorker _worker = new();
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    readonly RandomModel _random = new(seed: 5);

    public Task InitializeAsync()
    {
        _random.Write(At("plain.gguf"));
        _random.Write(At("merged.gguf"), Scale);
        _random.WriteAdapter(At("adapter.gguf"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _worker.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    string At(string name) => Path.Combine(_folder.FullName, name);

    string Adapted(double scale, string adapter = "adapter.gguf", string name = "adapted")
    {
        new AdaptedModel("plain.gguf", [new(adapter, scale)]).Write(At($"{name}.lora"));
        return At($"{name}.lora");
    }

    static ChatJob Ask(string model) => new(model, [], 24, new(0, 1, 1), []) { Prompt = "abc", Logprobs = 5 };

    async Task<(string Text, double[] Chances)> AnswerAsync(string model)
    {
        LocalWorker.NeedsLibrary();
        var reply = await _worker.Client.ChatAsync(Ask(model), _worker.Timeout);
        return (string.Concat(reply.Tokens.Select(static token => Convert.ToHexString([.. token.Bytes]))),
            [.. reply.Tokens.SelectMany(static token => token.Top).Select(static token => token.Logprob)]);
    }

    async Task<InferenceException> RefusedAsync(string model)
    {
        LocalWorker.NeedsLibrary();
        return await Assert.ThrowsAsync<InferenceException>(() => _worker.Client.ChatAsync(Ask(model), _worker.Timeout));
    }

    [SkippableFact]
    public async Task An_adapter_computes_what_its_product_does_in_the_weights()
    {
        var (merged, adapted, plain) =
            (await AnswerAsync(At("merged.gguf")), await AnswerAsync(Adapted(Scale)), await AnswerAsync(At("plain.gguf")));

        Assert.Equal(merged.Text, adapted.Text);
        Assert.All(merged.Chances.Zip(adapted.Chances), static pair => Assert.Equal(pair.First, pair.Second, 2e-3));
        Assert.NotEqual(plain.Text, adapted.Text);
        Assert.Contains(plain.Chances.Zip(adapted.Chances), static pair => Math.Abs(pair.First - pair.Second) > 0.05);
    }

    [SkippableFact]
    public async Task Of_scale_0_it_is_the_model_itself_and_two_of_half_the_scale_are_one()
    {
        new AdaptedModel("plain.gguf", [new("adapter.gguf", Scale / 2), new("copy.gguf", Scale / 2)]).Write(At("halves.lora"));
        File.Copy(At("adapter.gguf"), At("copy.gguf"));

        Assert.Equal((await AnswerAsync(At("plain.gguf"))).Chances, (await AnswerAsync(Adapted(0))).Chances);
        Assert.Equal((await AnswerAsync(At("merged.gguf"))).Text, (await AnswerAsync(At("halves.lora"))).Text);
    }

    [SkippableFact]
    public async Task Requests_with_and_without_it_at_once_do_not_mix_and_share_the_weights()
    {
        var lora = Adapted(Scale);
        var (adapted, plain) = (await AnswerAsync(lora), await AnswerAsync(At("plain.gguf")));

        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => AnswerAsync(i % 2 == 0 ? lora : At("plain.gguf"))));

        Assert.All(together.Index(), one => Assert.Equal(one.Index % 2 == 0 ? adapted.Text : plain.Text, one.Item.Text));
        if (!OperatingSystem.IsLinux()) return;
        var offsets = File.ReadLines($"/proc/{_worker.Client.WorkerId}/maps")
            .Where(static line => line.EndsWith("/plain.gguf", StringComparison.Ordinal))
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2]).ToList();
        Assert.Equal(offsets.Count, offsets.Distinct().Count());
    }

    [SkippableFact]
    public async Task An_adapter_or_a_scale_that_is_changed_counts_from_the_next_request_on()
    {
        var before = await AnswerAsync(Adapted(0));
        var after = await AnswerAsync(Adapted(Scale));
        new RandomModel(seed: 6).WriteAdapter(At("adapter.gguf"));
        File.SetLastWriteTimeUtc(At("adapter.gguf"), DateTime.UnixEpoch);

        var other = await AnswerAsync(At("adapted.lora"));

        Assert.Equal(3, new[] { before.Text, after.Text, other.Text }.Distinct().Count());
    }

    [SkippableTheory]
    [InlineData("missing", "the adapter missing.gguf is not there")]
    [InlineData("empty", "empty.gguf is not a usable GGUF model: the file is empty")]
    [InlineData("cut", "data is not within the file bounds")]
    [InlineData("falcon", "model arch and LoRA arch mismatch")]
    [InlineData("wide", "incorrect shape (hint: maybe wrong base model?)")]
    [InlineData("norm", "changes norms")]
    [InlineData("plain", "plain.gguf is no adapter but a model of its own")]
    public async Task What_does_not_fit_is_refused_with_the_cause_and_costs_nobody_else_anything(string file, string words)
    {
        if (file == "empty") await File.WriteAllBytesAsync(At("empty.gguf"), []);
        if (file == "cut") await File.WriteAllBytesAsync(At("cut.gguf"), (await File.ReadAllBytesAsync(At("adapter.gguf")))[..^4000]);
        if (file == "falcon") _random.WriteAdapter(At("falcon.gguf"), "falcon");
        if (file == "wide") new RandomModel(5, width: 64).WriteAdapter(At("wide.gguf"));
        if (file == "norm") _random.WriteAdapter(At("norm.gguf"), hasNorm: true);

        var error = await RefusedAsync(Adapted(1, $"{file}.gguf"));

        Assert.Equal("model-unavailable", error.Type);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.FullName, error.Message, StringComparison.Ordinal);
        Assert.NotEmpty((await AnswerAsync(At("plain.gguf"))).Text);
    }

    [SkippableTheory]
    [InlineData("{", "write it anew with `millrace models add`")]
    [InlineData("{\"model\":\"plain.gguf\"}", "it needs a 'model' and 'adapters'")]
    [InlineData("{\"model\":\"other.lora\",\"adapters\":[{\"path\":\"adapter.gguf\",\"scale\":1}]}", "other.lora has adapters itself")]
    [InlineData("{\"model\":\"gone.gguf\",\"adapters\":[{\"path\":\"adapter.gguf\",\"scale\":1}]}", "there is no file gone.gguf")]
    public async Task A_file_that_names_no_model_with_adapters_is_refused(string json, string words)
    {
        await File.WriteAllTextAsync(At("adapted.lora"), json);

        var error = await RefusedAsync(At("adapted.lora"));

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_guest_loads_one_as_any_other_model()
    {
        LocalWorker.NeedsLibrary();
        Assert.Equal(Write(At("merged.gguf")), Write(Adapted(Scale)));
        Assert.NotEqual(Write(At("plain.gguf")), Write(At("adapted.lora")));

        string Write(string model)
        {
            using var graph = new LlamaBackend(_worker.Client, null, static _ => { })
                .Load(new([]) { Path = model, Options = """{"temp":0,"n-predict":24}""" });
            using var context = graph.CreateContext();
            Set(context, "abc");
            context.Compute(default);
            return Convert.ToHexString(context.GetOutput(0).Data.Span);
        }
    }
}
