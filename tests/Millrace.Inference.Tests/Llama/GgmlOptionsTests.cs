using System.Globalization;
using System.Text.Json;
using Millrace.Inference.Llama;
using Millrace.Inference.Native;
using Millrace.Nn;
using static Millrace.Inference.Tests.Backends.TextModels;

namespace Millrace.Inference.Tests.Llama;

/// <summary>Options of WasmEdge's ggml plugin: what each of them changes.</summary>
public sealed class GgmlOptionsTests : IAsyncLifetime
{
    const string Question = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
    const string Answer = "The capital of France is Paris.<|im_end|>";

    readonly LocalWorker _worker = new();
    readonly List<string> _log = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _worker.DisposeAsync();

    INnContext Context(string options, string? model = null) => new LlamaBackend(_worker.Client, null, _log.Add)
        .Load(new([]) { Path = model ?? LocalWorker.Tiny, Options = options }).CreateContext();

    string Write(string options, string prompt = Question)
    {
        using var context = Context(options);
        Set(context, prompt);
        context.Compute(default);
        return Text(context);
    }

    [Fact]
    public void What_a_model_is_loaded_with_follows_from_the_options()
    {
        var options = GgmlOptions.None.With(
            """
            {"n-gpu-layers":7,"main-gpu":1,"tensor-split":"3, 1","split-mode":"row","use-mmap":false,"use-mlock":true,"check-tensors":true,
             "threads":3,"threads-batch":5,"batch-size":256,"ubatch-size":64,"flash-attn":"on","cache-type-k":8,"cache-type-v":1,
             "rope-scaling-type":2,"rope-freq-base":10000.5,"rope-freq-scale":0.5,"yarn-ext-factor":-1,"yarn-attn-factor":1.5,
             "yarn-beta-fast":32,"yarn-beta-slow":1,"yarn-orig-ctx":512,"pooling-type":3,"attention-type":1,"no-kv-offload":true}
            """);

        Assert.Equal(
            new(
                new()
                {
                    GpuLayers = 7,
                    MainGpu = 1,
                    TensorSplit = "3,1",
                    Split = SplitMode.Row,
                    IsMapped = false,
                    IsLocked = true,
                    IsChecked = true,
                },
                new()
                {
                    Threads = 3,
                    ThreadsBatch = 5,
                    BatchTokens = 256,
                    UbatchTokens = 64,
                    FlashAttention = 1,
                    KeyType = CacheType.Q8_0,
                    ValueType = CacheType.F16,
                    RopeScaling = 2,
                    RopeFreqBase = 10000.5f,
                    RopeFreqScale = 0.5f,
                    YarnExtFactor = -1,
                    YarnAttnFactor = 1.5f,
                    YarnBetaFast = 32,
                    YarnBetaSlow = 1,
                    YarnOrigContext = 512,
                    Pooling = 3,
                    Attention = 1,
                    IsCacheOnCpu = true,
                }),
            options.Model());
        Assert.Equal(ModelOptions.Standard, GgmlOptions.None.With("{\"use-mmap\":true,\"threads\":0,\"n-gpu-layers\":-1}").Model());
    }

    [Theory]
    [InlineData("split-mode", "\"diagonal\"", "none, layer and row")]
    [InlineData("flash-attn", "\"perhaps\"", "on, off and auto")]
    [InlineData("cache-type-k", "7000", "8")]
    [InlineData("tensor-split", "\"3,x\"", "shares such as 3,1")]
    [InlineData("rope-scaling-type", "9", "-1, 0, 1, 2, 3")]
    [InlineData("yarn-ext-factor", "1e300", "finite")]
    public void A_value_that_does_not_exist_is_refused_with_those_that_do(string option, string value, string known)
    {
        var options = GgmlOptions.None.With($"{{\"{option}\":{value}}}");

        var error = Assert.Throws<NnException>(() => options.Model());

        Assert.Equal(NnErrno.InvalidArgument, error.Errno);
        Assert.Contains($"the option {option} is", error.Message, StringComparison.Ordinal);
        Assert.Contains(known, error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("""{"temp":0,"ubatch-size":1,"batch-size":1}""")]
    [InlineData("""{"temp":0,"use-mmap":false,"threads":2,"threads-batch":1}""")]
    [InlineData("""{"temp":0,"flash-attn":"on","n-gpu-layers":100,"main-gpu":3,"tensor-split":"1,1","split-mode":"layer"}""")]
    [InlineData("""{"temp":0,"flash-attn":"off","check-tensors":true}""")]
    [InlineData("""{"temp":0,"cache-type-k":8,"cache-type-v":8,"flash-attn":"on"}""")]
    [InlineData("""{"temp":1.5,"top-k":1}""")]
    [InlineData("""{"temp":5,"min-p":0.99,"top-p":1,"top-k":0}""")]
    [InlineData("""{"temp":5,"typ-p":0.0001,"top-p":1,"top-k":0,"min-p":0}""")]
    public void Options_that_leave_the_likeliest_text_leave_it(string options)
    {
        Assert.Equal(Answer, Write(options));
    }

    [SkippableFact]
    public void Rope_and_what_the_cache_is_kept_as_change_what_is_computed()
    {
        var model = LocalWorker.Given("stories260K.gguf");
        string[] options =
        [
            "{}", """{"rope-freq-base":100}""", """{"rope-freq-scale":0.5}""",
            """{"rope-scaling-type":2,"rope-freq-scale":0.25,"yarn-ext-factor":1,"yarn-orig-ctx":128}""",
            """{"cache-type-k":0,"cache-type-v":0}""", "{}",
        ];

        var texts = options.Select(option =>
        {
            using var context = Context(option, model);
            Set(context, """{"temp":0,"n-predict":120}""", 1);
            Set(context, "Once upon a time");
            context.Compute(default);
            return Text(context);
        }).ToArray();

        Assert.Equal(4, texts.Distinct().Count());
        Assert.Equal(texts[0], texts[4]);
        Assert.Equal(texts[0], texts[5]);
    }

    [SkippableFact]
    public void A_longer_rope_makes_room_for_more_tokens()
    {
        var model = LocalWorker.Given("stories260K.gguf");
        using var context = Context("""{"temp":0,"n-predict":8}""", model);
        var prompt = string.Concat(Enumerable.Repeat("Once upon a time. ", 600));

        Set(context, prompt);
        Assert.Equal(NnErrno.PromptTooLong, Errno(() => context.Compute(default)));
        Set(context, """{"rope-freq-scale":0.25}""", 1);
        context.Compute(default);

        Assert.NotEmpty(Text(context));
    }

    [SkippableTheory]
    [InlineData("""{"temp":0,"dry-multipier":50,"dry-allowed-length":1}""")]
    [InlineData("""{"temp":0,"xtc-probability":1,"xtc-threshold":0.000001,"top-k":0,"top-p":1,"min-p":0}""")]
    [InlineData("""{"temp":0,"dynatemp-range":1000,"dynatemp-exponent":0,"top-k":0,"top-p":1,"min-p":0,"seed":7}""")]
    [InlineData("""{"temp":0,"ignore-eos":true}""")]
    [InlineData("""{"temp":20,"top-k":1,"mirostat":1,"mirostat-eta":0.2,"seed":3}""")]
    [InlineData("""{"temp":20,"top-k":1,"mirostat":2,"seed":3}""")]
    public void Samplers_change_even_the_likeliest_text(string options)
    {
        const string Twice = "<|im_start|>user\nCount from 4 to 9.<|im_end|>\n<|im_start|>assistant\n4, 5, 6, 7, 8, 9. 4, 5, 6,";
        var plain = Write("""{"temp":0,"n-predict":20}""", Twice);

        Assert.NotEqual(plain, Write(options[..^1] + ",\"n-predict\":20}", Twice));
    }

    [SkippableFact]
    public void The_cuts_keep_as_many_tokens_as_they_are_told()
    {
        const string Narrow = "\"temp\":100,\"top-k\":0,\"min-p\":1,\"top-p\":1,\"n-predict\":20,\"seed\":3";

        Assert.StartsWith("The capital of France", Write($"{{{Narrow}}}"), StringComparison.Ordinal);
        Assert.False(Write($"{{{Narrow},\"min-keep\":200}}").StartsWith("The capital of France", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Guests_with_other_options_share_the_weights_and_do_not_disturb_each_other()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "what a process has mapped is read from /proc");
        var model = LocalWorker.Tiny;
        string[] options = ["{\"temp\":0}", """{"temp":0,"rope-freq-base":7}""", """{"temp":0,"ubatch-size":3}"""];
        var alone = options.Select(option => Write(option)).ToArray();

        var together = await Task.WhenAll(options.Concat(options).Select(option => Task.Run(() => Write(option))));

        Assert.Equal([.. alone, .. alone], together);
        Assert.NotEqual(alone[0], alone[1]);
        Assert.Equal(alone[0], alone[2]);
        var mapped = File.ReadLines($"/proc/{_worker.Client.WorkerId}/maps")
            .Where(line => line.EndsWith(Path.GetFileName(model), StringComparison.Ordinal)).ToList();
        // Where llama.cpp gives pages back, what is left of one mapping has several lines, but no byte of the file twice.
        var offsets = mapped.Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2]);
        Assert.Equal(mapped.Count, offsets.Distinct().Count());
    }

    [SkippableFact]
    public void Vectors_have_the_norm_and_the_pooling_that_were_asked_for()
    {
        var model = LocalWorker.Given("all-MiniLM-L6-v2-q8_0.gguf");

        var (unit, raw, first) = (Vector("{}"), Vector("""{"embd-normalize":-1}"""), Vector("""{"pooling-type":2}"""));

        var length = Math.Sqrt(raw.Sum(static number => number * number));
        Assert.InRange(Math.Abs(length - 1), 0.01, 1000);
        Assert.All(unit.Zip(raw), pair => Assert.Equal(pair.First, pair.Second / length, 4));
        Assert.True(unit.Zip(first).Sum(static pair => pair.First * pair.Second) < 0.99, "the pooling changed nothing");

        double[] Vector(string options)
        {
            using var context = Context(options, model);
            Set(context, """{"embedding":true,"batch-size":0}""", 1);
            Set(context, "A text about rain.");
            context.Compute(default);
            using var json = JsonDocument.Parse(Text(context));
            return [.. json.RootElement.GetProperty("embedding").EnumerateArray().Select(static number => number.GetDouble())];
        }
    }

    [SkippableFact]
    public void What_does_nothing_here_is_said_once_with_the_options_name()
    {
        using var context = Context("""{"grp-attn-n":4,"hellaswag":true,"ctx-size":100000,"numa":1}""");
        Set(context, """{"pooling-type":4,"special":true}""", 1);
        Set(context, """{"reranking":true,"ctx-shift":true}""", 1);

        Assert.Equal(
            ["grp-attn-n", "ctx-size", "pooling-type", "special", "ctx-shift", "reranking"],
            _log.Select(static line => line.Split("the option ")[1].Split(' ')[0]));
        Assert.All(_log, static line => Assert.StartsWith("tinychat-q8_0.gguf: ", line, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void What_llama_cpp_refuses_is_told_in_its_words()
    {
        using var context = Context("""{"cache-type-v":2,"flash-attn":"off"}""");
        Set(context, Question);

        var error = Assert.Throws<NnException>(() => context.Compute(default));

        Assert.Contains("flash_attn", error.Message, StringComparison.Ordinal);
        Assert.Equal(Answer, Write("{\"temp\":0}"));
    }

    [SkippableFact]
    public void The_metadata_names_the_librarys_commit()
    {
        using var context = Context("{}");
        using var json = JsonDocument.Parse(Text(context, 1));

        var commit = json.RootElement.GetProperty("llama_commit").GetString()!;

        Assert.True(long.TryParse(commit, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _), commit);
        Assert.InRange(commit.Length, 7, 40);
    }
}
