using System.Text;
using Millrace.Inference.Llama2;
using Millrace.Nn;
using Millrace.Wasi;
using static Millrace.Inference.Tests.Backends.TextModels;

namespace Millrace.Inference.Tests.Llama2;

/// <summary>Texts of the guest llama2 behind the border, on a published model.</summary>
public sealed class Llama2BackendTests : IDisposable
{
    const string Greedy = """{"temp":0,"n-predict":60,"n-gpu-layers":3,"model_name":"x"}""";
    const string Prompt = "Once upon a time";

    readonly Llama2Backend _backend = new();
    readonly string _folder = Directory.CreateTempSubdirectory("millrace-llama2-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public void A_text_is_what_the_guest_itself_tells_behind_the_prompt()
    {
        using var context = Context(Greedy, Prompt);
        context.Compute(default);

        // The program counts the prompt's five tokens, too, of which the first is none of the text.
        var told = Told("stories260K.gguf", "-t", "0", "-n", "64", "-i", Prompt);

        Assert.Equal(told, Prompt + Text(context));
        Assert.Equal((5, 60), Counts(context));
    }

    [SkippableFact]
    public void A_whole_story_of_a_checkpoint_is_the_one_of_the_same_network_as_gguf()
    {
        using var checkpoint = Context("""{"temp":0,"tokenizer":"tok512.bin"}""", "hello", "stories260K.bin");
        using var gguf = Context("""{"temp":0}""", "hello");

        checkpoint.Compute(default);
        gguf.Compute(default);

        Assert.Equal(Told("stories260K.gguf", "-t", "0", "-n", "0", "-i", "hello"), "hello" + Text(gguf));
        Assert.Equal(Text(gguf), Text(checkpoint));
    }

    [SkippableFact]
    public void Token_by_token_it_is_the_same_text_with_its_errno_at_the_end()
    {
        using var context = Context("""{"temp":0}""", "hello");
        context.Compute(default);
        var whole = Text(context);
        var pieces = new List<byte>();

        var errno = Errno(() =>
        {
            while (true)
            {
                context.ComputeSingle(default);
                pieces.AddRange(context.GetOutputSingle(0).Data.Span);
            }
        });

        Assert.Equal(NnErrno.EndOfSequence, errno);
        Assert.Equal(whole, Encoding.UTF8.GetString([.. pieces]));
    }

    [SkippableFact]
    public void Two_texts_of_one_model_are_written_side_by_side()
    {
        using var graph = _backend.Load(Given("stories260K.gguf", Greedy));
        using var first = (INnTextContext)graph.CreateContext();
        using var second = (INnTextContext)graph.CreateContext();
        Set(first, Prompt);
        Set(second, "hello");
        for (var i = 0; i < 20; i++)
        {
            first.ComputeSingle(default);
            second.ComputeSingle(default);
        }

        var apart = (Text(first), Text(second));
        first.FinishSingle();
        second.FinishSingle();
        Set(first, """{"n-predict":20}""", 1);
        first.Compute(default);
        Set(second, """{"n-predict":20}""", 1);
        second.Compute(default);

        Assert.Equal((Text(first), Text(second)), apart);
        Assert.NotEqual(apart.Item1, apart.Item2);
    }

    [SkippableFact]
    public void Chance_comes_from_the_seed()
    {
        var (one, again, other) = (Story(5), Story(5), Story(6));

        Assert.Equal(one, again);
        Assert.NotEqual(one, other);

        string Story(int seed)
        {
            using var context = Context($$"""{"temp":1,"top-p":0.9,"n-predict":60,"seed":{{seed}}}""", Prompt);
            context.Compute(default);
            return Text(context);
        }
    }

    [SkippableFact]
    public void A_context_that_is_full_and_a_prompt_that_is_too_long_have_their_errnos()
    {
        using var full = Context("""{"temp":0,"ctx-size":20}""", Prompt);
        Assert.Equal(NnErrno.ContextFull, Errno(() => full.Compute(default)));
        Assert.Equal((5, 16), Counts(full));

        using var small = Context("""{"temp":0,"ctx-size":4}""", Prompt);
        Assert.Equal(NnErrno.PromptTooLong, Errno(() => small.Compute(default)));
        Assert.Equal(5, Counts(small).Input);
    }

    [SkippableFact]
    public void A_limit_of_the_host_holds_whatever_the_options_say()
    {
        using var graph = _backend.Load(Given("stories260K.gguf", Greedy) with { TokensMax = 7 });
        using var context = (INnTextContext)graph.CreateContext();
        Set(context, Prompt);

        context.Compute(default);

        Assert.Equal((5, 7), Counts(context));
    }

    [SkippableFact]
    public void A_computation_that_is_cancelled_stops_the_guest_and_the_next_one_goes_on()
    {
        using var context = Context(Greedy, Prompt);
        using var cancel = new CancellationTokenSource();
        context.ComputeSingle(cancel.Token);
        cancel.Cancel();

        Assert.Throws<OperationCanceledException>(() => context.ComputeSingle(cancel.Token));
        context.Compute(default);
        Assert.Equal((5, 60), Counts(context));
    }

    [SkippableFact]
    public async Task A_text_that_is_cancelled_while_it_is_written_ends_before_its_end()
    {
        using var context = Context("""{"temp":0}""", Prompt);
        context.Compute(default);
        var whole = Counts(context).Output;
        OperationCanceledException? cancelled = null;
        // Where the text came to its own end first, it is tried again.
        for (var i = 0; i < 50 && cancelled is null; i++)
        {
            using var cancel = new CancellationTokenSource();
            var computing = Task.Run(() => context.Compute(cancel.Token));
            SpinWait.SpinUntil(() => computing.IsCompleted || Counts(context).Output is > 0 and < 20);
            await cancel.CancelAsync();
            cancelled = await Record.ExceptionAsync(() => computing) as OperationCanceledException;
        }

        Assert.NotNull(cancelled);
        Assert.InRange(Counts(context).Output, 0, whole - 1);
        context.Compute(default);
        Assert.Equal(whole, Counts(context).Output);
    }

    [SkippableFact]
    public void A_damaged_file_is_refused_with_the_guests_own_sentence()
    {
        var gguf = File.ReadAllBytes(Path.Combine(Models, "stories260K.gguf"));

        Refuses("cut.gguf: cut off", gguf[..^5000]);
        Refuses("version 9 of GGUF", [.. "GGUF"u8, 9, 0, 0, 0, .. gguf[8..]]);
        Assert.Equal(NnErrno.ModelNotFound, Errno(() => _backend.Load(new([]) { Path = Path.Combine(_folder, "no.gguf") })));
        Assert.Equal(NnErrno.ModelNotFound, Errno(() => _backend.Load(Given("stories260K.bin", "{}"))));
        Assert.Equal(NnErrno.InvalidArgument, Errno(() => _backend.Load(Given("stories260K.bin", """{"tokenizer":"../x"}"""))));
    }

    [SkippableTheory]
    [InlineData("""{"grammar":"root ::= \"a\""}""", NnErrno.UnsupportedOperation)]
    [InlineData("""{"embedding":true}""", NnErrno.UnsupportedOperation)]
    [InlineData("""{"temp":"hot"}""", NnErrno.InvalidArgument)]
    [InlineData("[]", NnErrno.InvalidEncoding)]
    public void Options_that_are_wrong_or_not_there_are_refused(string options, NnErrno errno) =>
        Assert.Equal(errno, Errno(() => _backend.Load(Given("stories260K.gguf", options))));

    [Fact]
    public void Where_no_native_library_is_it_takes_the_place_of_ggml()
    {
        var texts = NnBackends.Texts(new Absent(), _backend);

        Assert.Equal((NnEncoding.Ggml, null), (texts.Encoding, texts.WhyAbsent));
        Assert.Contains("guests/llama2", texts.Engine, StringComparison.Ordinal);
        Assert.Same(_backend, NnBackends.Texts(_backend, new Absent()));
    }

    void Refuses(string sentence, byte[] bytes)
    {
        var path = Path.Combine(_folder, "cut.gguf");
        File.WriteAllBytes(path, bytes);

        var fault = Assert.Throws<NnException>(() => _backend.Load(new([]) { Path = path }));

        Assert.Equal(NnErrno.InvalidEncoding, fault.Errno);
        Assert.Contains(sentence, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder, fault.Message, StringComparison.Ordinal);
    }

    INnTextContext Context(string options, string prompt, string model = "stories260K.gguf")
    {
        var context = (INnTextContext)_backend.Load(Given(model, options)).CreateContext();
        Set(context, prompt);
        return context;
    }

    // The guest as the program that it is.
    static string Told(string model, params string[] words)
    {
        using var resource = typeof(NnBackends).Assembly.GetManifestResourceStream("llama2.wasm")!;
        using var module = new MemoryStream();
        resource.CopyTo(module);
        using var output = new MemoryStream();
        var end = ProgramRun.Execute(module.ToArray(), new()
        {
            Arguments = ["llama2", model, .. words],
            Preopens = [new(Models, ".", true)],
            Stdout = output,
        });
        Assert.Equal(0, end.ExitCode);
        return Encoding.UTF8.GetString(output.ToArray())[..^1];
    }

    static NnModel Given(string file, string options) => new([]) { Path = Path.Combine(Models, file), Options = options };

    static string Models
    {
        get
        {
            var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
            Skip.If(string.IsNullOrEmpty(folder), "MILLRACE_MODELS is not set: it names the folder of models");
            return folder!;
        }
    }

    sealed class Absent : INnBackend
    {
        public NnEncoding Encoding => NnEncoding.Ggml;

        public string? WhyAbsent => "no library";

        public INnGraph Load(NnModel model) => throw new NnException(NnErrno.InvalidEncoding, "no library");
    }
}
