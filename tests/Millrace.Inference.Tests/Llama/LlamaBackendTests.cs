using System.Text;
using System.Text.Json;
using Millrace.Inference.Llama;
using Millrace.Nn;
using static Millrace.Inference.Tests.Backends.TextModels;

namespace Millrace.Inference.Tests.Llama;

/// <summary>GGUF models as guests of WasmEdge know them.</summary>
public sealed class LlamaBackendTests : IAsyncLifetime
{
    const string Question = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
    const string Greedy = "{\"temp\":0,\"n-predict\":60,\"llama3\":true,\"model_name\":\"x\"}";

    readonly LocalWorker _worker = new();
    readonly MemoryStream _output = new();
    readonly List<string> _log = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _output.DisposeAsync();
    }

    INnTextContext Context(string? model = null, string options = Greedy)
    {
        var backend = new LlamaBackend(_worker.Client, _output, _log.Add);
        var graph = backend.Load(new([]) { Path = model ?? LocalWorker.Tiny, Options = options });
        return (INnTextContext)graph.CreateContext();
    }

    [SkippableFact]
    public void A_text_is_computed_with_the_piece_that_ends_it_and_counted()
    {
        using var context = Context();
        Assert.Equal((0, 0), Counts(context));

        Set(context, Question);
        context.Compute(default);
        var first = (Text(context), Counts(context));
        context.Compute(default);

        Assert.Equal("The capital of France is Paris.<|im_end|>", first.Item1);
        Assert.Equal((19, 14), first.Item2);
        Assert.Equal(first, (Text(context), Counts(context)));
    }

    [SkippableFact]
    public void Token_by_token_the_text_is_the_same_and_ends_with_its_errno()
    {
        using var context = Context();
        Set(context, Question);
        var text = new List<byte>();

        var errno = Errno(() =>
        {
            while (true)
            {
                context.ComputeSingle(default);
                text.AddRange(context.GetOutputSingle(0).Data.Span);
            }
        });

        Assert.Equal(NnErrno.EndOfSequence, errno);
        Assert.Equal("The capital of France is Paris.", Encoding.UTF8.GetString([.. text]));
        Assert.Equal("<|im_end|>", Encoding.UTF8.GetString(context.GetOutputSingle(0).Data.Span));
        Assert.Equal((19, 14), Counts(context));
        context.ComputeSingle(default);
        Assert.Equal((19, 1), Counts(context));
        context.FinishSingle();
        Assert.Equal((19, 0), Counts(context));
    }

    [SkippableTheory]
    [InlineData("{\"n-predict\":3}", 3)]
    [InlineData("{\"reverse-prompt\":\"France\"}", 0)]
    [InlineData("{\"grammar\":\"root ::= \\\"no\\\"\"}", 0)]
    [InlineData("{\"json-schema\":\"{\\\"enum\\\":[\\\"yes\\\"]}\"}", 0)]
    public void Options_of_a_context_hold(string options, int tokens)
    {
        using var context = Context();
        Set(context, options, 1);
        Set(context, Question);

        context.Compute(default);

        // Where only an end is allowed, the vocabulary has several.
        var expected = options.Contains("grammar", StringComparison.Ordinal) ? "no"
            : options.Contains("schema", StringComparison.Ordinal) ? "\"yes\""
            : options.Contains("reverse", StringComparison.Ordinal) ? "The capital of France" : "The";
        Assert.StartsWith(expected, Text(context), StringComparison.Ordinal);
        if (tokens > 0) Assert.Equal(tokens, Counts(context).Output);
    }

    [SkippableFact]
    public void A_context_of_size_0_is_one_as_usual_and_0_tokens_are_none()
    {
        using var context = Context(options: "{\"temp\":0,\"ctx-size\":0,\"batch-size\":0,\"threads\":0}");
        Set(context, Question);

        context.Compute(default);
        var text = Text(context);
        Set(context, "{\"n-predict\":0}", 1);
        context.Compute(default);

        Assert.Equal("The capital of France is Paris.<|im_end|>", text);
        Assert.Equal(("", (19, 0)), (Text(context), Counts(context)));
    }

    // Programs ask for the usual context, whatever a model was trained for, and take an error for the end of all.
    [SkippableFact]
    public void A_text_may_go_on_beyond_what_its_model_was_trained_for()
    {
        using var context = Context(LocalWorker.Given("stories260K.gguf"), "{\"temp\":0,\"n-predict\":600}");
        Set(context, "Once upon a time");

        context.Compute(default);

        Assert.Equal(600, Counts(context).Output);
    }

    [SkippableFact]
    public void What_is_told_to_print_is_printed()
    {
        using var context = Context(options: "{\"temp\":0,\"stream-stdout\":true}");
        Set(context, Question);

        context.Compute(default);

        Assert.Equal("The capital of France is Paris.<|im_end|>", Encoding.UTF8.GetString(_output.ToArray()));
    }

    [SkippableFact]
    public void Errors_have_the_plugins_numbers()
    {
        Assert.Equal(NnErrno.ModelNotFound, Errno(() => Context("/nowhere/x.gguf")));
        Assert.Equal(NnErrno.InvalidEncoding, Errno(() => Context(options: "n-predict=3")));
        Assert.Equal(NnErrno.InvalidArgument, Errno(() => Context(options: "{\"n-predict\":\"3\"}")));
        Assert.Equal(NnErrno.InvalidArgument, Errno(() => Context(options: "{\"n-predict\":3.5}")));
        Assert.Equal(NnErrno.InvalidArgument, Errno(() => Context(options: "{\"enable-log\":1}")));
        using var context = Context();
        Assert.Equal(NnErrno.InvalidArgument, Errno(() => context.Compute(default)));
        Assert.Equal(NnErrno.InvalidArgument, Errno(() => Set(context, "{\"temp\":\"hot\"}", 1)));
        Set(context, "{\"ctx-size\":24}", 1);
        Set(context, Question);
        Set(context, "{\"grammar\":\"root ::= [a-z]{100}\"}", 1);
        Assert.Equal(NnErrno.ContextFull, Errno(() => context.Compute(default)));
        Assert.NotEmpty(Text(context));
        Set(context, Question + Question);
        Assert.Equal(NnErrno.PromptTooLong, Errno(() => context.Compute(default)));
    }

    [SkippableFact]
    public void Embeddings_are_the_plugins_json()
    {
        using var context = Context(LocalWorker.Given("all-MiniLM-L6-v2-q8_0.gguf"), "{\"embedding\":true}");
        Set(context, "A text.");

        context.Compute(default);

        using var json = JsonDocument.Parse(Text(context));
        Assert.Equal(384, json.RootElement.GetProperty("n_embedding").GetInt32());
        var vector = json.RootElement.GetProperty("embedding").EnumerateArray().Select(static number => number.GetDouble()).ToList();
        Assert.Equal(384, vector.Count);
        Assert.InRange(vector.Sum(static number => number * number), 0.999, 1.001);
    }
}
