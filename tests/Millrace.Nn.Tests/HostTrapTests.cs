using System.Collections.Immutable;
using System.Text;

namespace Millrace.Nn.Tests;

/// <summary>What breaks a host that does not know it: rules that programs made for WasmEdge count on. That
/// <c>sock_accept</c> has two types is a test of Millrace.Wasi.</summary>
public sealed class HostTrapTests : IDisposable
{
    readonly string _file = Path.GetTempFileName();
    readonly FakeTextBackend _text = new();

    public void Dispose() => File.Delete(_file);

    Guest TextGuest() => new(new()
    {
        Backends = [_text],
        Models = ImmutableDictionary<string, NamedModel>.Empty
            .Add("default", new("default", NnEncoding.Ggml, NnTarget.Auto, [_file]))
            .Add("gone", new("gone", NnEncoding.Ggml, NnTarget.Auto, [_file + ".gone"])),
    });

    Guest TensorGuest(FakeBackend backend) => new(new()
    {
        Backends = [backend],
        Models = ImmutableDictionary<string, NamedModel>.Empty
            .Add("net", new("net", backend.Encoding, NnTarget.Cpu, [_file])),
    });

    [Fact]
    public void A_buffer_size_of_zero_means_that_there_is_room()
    {
        using var guest = TextGuest();
        var context = guest.Context("default");
        guest.Prompt(context, "hello");
        guest.MustCall("compute", context);

        guest.MustCall("get_output", context, 0, 4096, 0, Guest.Out);

        Assert.Equal(5u, guest.U32(Guest.Out));
        Assert.Equal("hello", Encoding.UTF8.GetString(guest.Memory.Span(4096, 5)));
    }

    [Fact]
    public void A_buffer_size_of_zero_ends_with_the_memory()
    {
        using var guest = TextGuest();
        var context = guest.Context("default");
        guest.Prompt(context, "hello");
        guest.MustCall("compute", context);
        var end = (uint)guest.Memory.ByteLength;

        guest.MustCall("get_output", context, 0, end - 2, 0, Guest.Out);

        Assert.Equal(2u, guest.U32(Guest.Out));
        Assert.Equal("he", Encoding.UTF8.GetString(guest.Memory.Span(end - 2, 2)));
    }

    [Fact]
    public void An_output_that_is_larger_than_its_buffer_fills_it_and_tells_its_whole_size()
    {
        using var guest = TextGuest();
        var context = guest.Context("default");
        guest.Prompt(context, "hello");
        guest.MustCall("compute", context);

        Assert.Equal("hel", guest.Output(context, 0, bytesMax: 3));
        Assert.Equal(5u, guest.U32(Guest.Out));
    }

    [Fact]
    public void A_tensor_type_is_one_byte_and_junk_may_stand_beside_it()
    {
        var backend = new FakeBackend(NnEncoding.OpenVino, new TensorPort("x", TensorType.F32, [1, 2]));
        using var guest = TensorGuest(backend);
        var context = guest.Context("net");

        Assert.Equal(NnErrno.Success, guest.SetInput(context, 0, 0xdead_be01, [1, 2], new byte[8]));
        Assert.Equal(TensorType.F32, backend.Inputs[0].Type);
    }

    [Theory]
    [InlineData(2, TensorType.U8, 4, TensorType.U8)] // old: 2 is u8
    [InlineData(3, TensorType.U8, 4, TensorType.U8)] // new: 3 is u8
    [InlineData(3, TensorType.I32, 16, TensorType.I32)] // old: 3 is i32
    [InlineData(4, TensorType.I32, 16, TensorType.I32)]
    [InlineData(2, TensorType.F64, 32, TensorType.F64)]
    [InlineData(5, TensorType.I64, 32, TensorType.I64)]
    [InlineData(2, null, 4, TensorType.U8)] // the length tells
    [InlineData(2, null, 32, TensorType.F64)]
    [InlineData(3, null, 4, TensorType.U8)]
    [InlineData(3, null, 16, TensorType.I32)]
    [InlineData(2, TensorType.I8, 4, TensorType.I8)] // no number means it; the bytes are the same
    public void Both_numberings_of_tensor_types_are_understood(uint number, TensorType? port, int bytes, TensorType expected)
    {
        var backend = new FakeBackend(NnEncoding.TensorFlowLite, new TensorPort("x", port, [2, 2]));
        using var guest = TensorGuest(backend);

        Assert.Equal(NnErrno.Success, guest.SetInput(guest.Context("net"), 0, number, [2, 2], new byte[bytes]));
        Assert.Equal(expected, backend.Inputs[0].Type);
    }

    [Fact]
    public void A_model_of_text_takes_bytes_of_any_type_and_sizes()
    {
        using var guest = TextGuest();
        var context = guest.Context("default");

        Assert.Equal(NnErrno.Success, guest.SetInput(context, 0, 77, [1, 0], "hello"u8.ToArray()));
        guest.MustCall("compute", context);
        Assert.Equal("hello", guest.Output(context, 0));
    }

    [Fact]
    public void Encodings_count_as_WasmEdge_counts_them()
    {
        using var guest = TextGuest();

        Assert.Equal(NnErrno.InvalidEncoding, guest.Load((NnEncoding)5, "GGUF"u8.ToArray()));
        Assert.Equal(NnErrno.Success, guest.Load((NnEncoding)6, "GGUF"u8.ToArray()));
    }

    [Fact]
    public void The_metadata_can_be_read_before_there_is_any_input()
    {
        using var guest = TextGuest();

        Assert.Equal("""{"input_tokens":0,"output_tokens":0}""", guest.Output(guest.Context("default"), 1));
    }

    [Fact]
    public void A_model_whose_file_is_gone_and_one_that_nobody_named_are_two_errors()
    {
        using var guest = TextGuest();

        Assert.Equal(NnErrno.ModelNotFound, guest.LoadByName("gone"));
        Assert.Equal(NnErrno.NotFound, guest.LoadByName("other"));
        Assert.Contains("there is no file", guest.Log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_is_one_graph_with_its_first_options_until_it_is_unloaded()
    {
        using var guest = TextGuest();
        Assert.Equal(NnErrno.Success, guest.LoadByName("default", """{"ctx-size":1}"""));
        var first = guest.U32(Guest.Out);
        Assert.Equal(NnErrno.Success, guest.LoadByName("default", """{"ctx-size":2}"""));
        Assert.Equal(first, guest.U32(Guest.Out));

        guest.MustCall("unload", first);
        Assert.Equal(NnErrno.Success, guest.LoadByName("default", """{"ctx-size":3}"""));

        Assert.Equal(first + 1, guest.U32(Guest.Out));
        Assert.Equal(["""{"ctx-size":1}""", """{"ctx-size":3}"""], _text.Models.Select(model => model.Options));
    }

    [Fact]
    public void Options_reach_a_model_of_text_as_they_are_and_other_models_as_one_more_builder()
    {
        const string Unknown = """{"llama3":true,"include_usage":1}""";
        using var text = TextGuest();
        Assert.Equal(NnErrno.Success, text.LoadByName("default", Unknown));
        Assert.Equal(Unknown, _text.Models[0].Options);

        var backend = new FakeBackend(NnEncoding.PyTorch);
        File.WriteAllText(_file, "model");
        using var guest = TensorGuest(backend);
        Assert.Equal(NnErrno.Success, guest.LoadByName("net", Unknown));
        Assert.Equal(["model", Unknown], backend.Models[0].Builders.Select(part => Encoding.UTF8.GetString(part.Span)));
    }

    // LlamaEdge asks once for the counts and once for the end mark: a text that began anew would reach its client too.
    [Fact]
    public void After_the_end_of_a_text_one_may_ask_again_and_read_the_counts()
    {
        using var guest = TextGuest();
        var context = guest.Context("default");
        guest.Prompt(context, "ab");
        guest.MustCall("compute_single", context);
        Assert.Equal("a", guest.Output(context, 0, call: "get_output_single"));
        guest.MustCall("compute_single", context);
        Assert.Equal("b", guest.Output(context, 0, call: "get_output_single"));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(NnErrno.EndOfSequence, guest.Call("compute_single", context));
            Assert.Equal("""{"input_tokens":2,"output_tokens":2}""", guest.Output(context, 1));
        }

        guest.MustCall("fini_single", context);
        Assert.Empty(guest.Log);
    }

    [Theory]
    [InlineData("fini_single")]
    [InlineData("set_input")]
    [InlineData("compute")]
    public void After_the_end_of_a_text_the_next_begins_with(string call)
    {
        using var guest = TextGuest();
        var context = guest.Context("default");
        guest.Prompt(context, "a");
        guest.MustCall("compute_single", context);
        Assert.Equal(NnErrno.EndOfSequence, guest.Call("compute_single", context));

        if (call == "set_input") guest.Prompt(context, "b");
        else guest.MustCall(call, context);

        Assert.Equal(NnErrno.Success, guest.Call("compute_single", context));
    }

    [Fact]
    public void A_text_that_filled_its_context_is_full_until_the_next()
    {
        using var guest = TextGuest();
        var context = guest.Context("default");
        guest.Prompt(context, "ab!");
        guest.MustCall("compute_single", context);
        guest.MustCall("compute_single", context);

        Assert.Equal(NnErrno.ContextFull, guest.Call("compute_single", context));
        Assert.Equal(NnErrno.ContextFull, guest.Call("compute_single", context));
        guest.Prompt(context, "ab");
        Assert.Equal(NnErrno.Success, guest.Call("compute_single", context));
    }
}
