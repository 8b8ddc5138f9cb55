using System.Collections.Immutable;
using Millrace.Wasm;

namespace Millrace.Nn.Tests;

/// <summary>Each errno, from what WasmEdge answers it to.</summary>
public sealed class ErrnoTests : IDisposable
{
    const uint Far = 0xffff_fff0;

    readonly string _file = Path.GetTempFileName();
    readonly FakeBackend _backend = new(NnEncoding.Onnx, new TensorPort("x", TensorType.F32, [2]));

    public void Dispose() => File.Delete(_file);

    Guest NewGuest(params INnBackend[] backends) => new(new()
    {
        Backends = [_backend, .. backends],
        Models = new (string Name, NnEncoding Encoding)[]
            {
                ("net", NnEncoding.Onnx), ("default", NnEncoding.Ggml), ("song", NnEncoding.Whisper), ("any", NnEncoding.AutoDetect),
            }
            .ToImmutableDictionary(pair => pair.Name, pair => new NamedModel(pair.Name, pair.Encoding, NnTarget.Cpu, [_file])),
    });

    [Fact]
    public void A_pointer_outside_the_memory_is_an_invalid_argument()
    {
        using var guest = NewGuest(new FakeTextBackend());
        var context = guest.Context("net");
        var (at, length) = guest.Put("net");

        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load", Far, 2, 1, 0, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load", guest.Numbers(Far, 8), 1, 1, 0, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load", guest.Numbers(at, length), 1, 1, 0, Far));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load_by_name", Far, 32, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load_by_name", at, length, 0xffff_fffe));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load_by_name_with_config", at, length, Far, 32, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("init_execution_context", 0, Far));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("set_input", context, 0, Far));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("set_input", context, 0, guest.Numbers(Far, 9, 1, at, 8)));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("set_input", context, 0, guest.Numbers(at, 1, 1, Far, 800)));
        Assert.Equal(NnErrno.Success, guest.SetInput(context, 0, 1, [2], new byte[8]));
        guest.MustCall("compute", context);
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("get_output", context, 0, Far, 400, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("get_output", context, 0, 4096, 400, Far));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("get_output", context, 0, Far, 0, Guest.Out));
        Assert.Equal(13, guest.Log.Count);
    }

    [Theory]
    [InlineData("init_execution_context")]
    [InlineData("set_input")]
    [InlineData("compute")]
    [InlineData("get_output")]
    [InlineData("compute_single")]
    [InlineData("get_output_single")]
    [InlineData("fini_single")]
    [InlineData("unload")]
    [InlineData("finalize_execution_context")]
    public void A_handle_that_was_never_given_is_an_invalid_argument(string call)
    {
        using var guest = NewGuest();
        uint[] rest = call.StartsWith("get", StringComparison.Ordinal) ? [0, 4096, 8, Guest.Out]
            : call is "set_input" ? [0, 128] : call is "init_execution_context" ? [Guest.Out] : [];

        Assert.Equal(NnErrno.InvalidArgument, guest.Call(call, [0, .. rest]));
        Assert.Contains(call, Assert.Single(guest.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_is_none_is_an_invalid_argument_and_auto_is_for_named_models()
    {
        using var guest = NewGuest();
        var (at, length) = guest.Put("model");
        var builders = guest.Numbers(at, length);

        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load", builders, 1, 1, 3, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load", builders, 1, 1, 77, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load", builders, 0, 1, 0, Guest.Out));
        for (uint target = 0; target < 3; target++)
            Assert.Equal(NnErrno.Success, guest.Call("load", builders, 1, 1, target, Guest.Out));
        Assert.Equal([NnTarget.Cpu, NnTarget.Gpu, NnTarget.Tpu], _backend.Models.Select(model => model.Target));
    }

    [Theory]
    [InlineData(0, 1, new uint[] { 2 }, 12)] // the length is another
    [InlineData(0, 6, new uint[] { 2 }, 8)] // no such type
    [InlineData(0, 255, new uint[] { 2 }, 8)]
    [InlineData(1, 1, new uint[] { 2 }, 8)] // no such input
    [InlineData(0xffff_ffff, 1, new uint[] { 2 }, 8)]
    public void A_tensor_that_does_not_fit_is_an_invalid_argument(uint index, uint type, uint[] sizes, int bytes)
    {
        using var guest = NewGuest();

        Assert.Equal(NnErrno.InvalidArgument, guest.SetInput(guest.Context("net"), index, type, sizes, new byte[bytes]));
    }

    [Fact]
    public void To_compute_without_an_input_is_an_invalid_argument()
    {
        using var guest = NewGuest();

        Assert.Equal(NnErrno.InvalidArgument, guest.Call("compute", guest.Context("net")));
    }

    [Fact]
    public void Token_by_token_is_an_invalid_argument_where_there_is_no_text()
    {
        using var guest = NewGuest();
        var context = guest.Context("net");

        Assert.Equal(NnErrno.InvalidArgument, guest.Call("compute_single", context));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("get_output_single", context, 0, 4096, 8, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("fini_single", context));
    }

    [Fact]
    public void When_a_graph_is_unloaded_only_what_was_computed_can_be_read()
    {
        using var guest = NewGuest();
        Assert.Equal(NnErrno.Success, guest.LoadByName("net"));
        var graph = guest.U32(Guest.Out);
        var context = guest.MustCall("init_execution_context", graph, Guest.Out);
        guest.SetInput(context, 0, 1, [2], "computed"u8.ToArray());
        guest.MustCall("compute", context);

        guest.MustCall("unload", graph);

        Assert.Equal("computed", guest.Output(context, 0));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("compute", context));
        Assert.Equal(NnErrno.InvalidArgument, guest.SetInput(context, 0, 1, [2], new byte[8]));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("init_execution_context", graph, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("unload", graph));
        guest.MustCall("finalize_execution_context", context);
        Assert.Equal(0, _backend.Open);
    }

    [Theory]
    [InlineData(0)] // no backend
    [InlineData(3)] // one that is not there
    [InlineData(5)] // autodetect
    [InlineData(9)] // whisper
    [InlineData(100)] // ours, and not a number of the ABI
    [InlineData(4_000_000_000)]
    public void An_encoding_without_a_backend_is_an_invalid_encoding_with_a_line(uint encoding)
    {
        using var guest = NewGuest(new FakeBackend(NnEncoding.PyTorch) { WhyAbsent = "libtorch is not installed" });

        Assert.Equal(NnErrno.InvalidEncoding, guest.Load((NnEncoding)encoding, "model"u8.ToArray()));
        Assert.Contains(encoding == 3 ? "libtorch is not installed" : "", Assert.Single(guest.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_named_model_without_a_backend_is_an_invalid_encoding()
    {
        using var guest = NewGuest();

        Assert.Equal(NnErrno.InvalidEncoding, guest.LoadByName("song"));
        Assert.Equal(NnErrno.InvalidEncoding, guest.LoadByName("default"));
        Assert.Equal(NnErrno.InvalidEncoding, guest.LoadByName("any"));
        Assert.Contains("there is no backend for Whisper", guest.Log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_guest_without_a_memory_traps()
    {
        using var guest = new Guest(new() { Backends = [_backend] }, hasMemory: false);

        var trap = Assert.Throws<TrapException>(() => guest.Call("load", 0, 0, 1, 0, 0));

        Assert.Equal(TrapCode.HostFault, trap.Code);
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("compute", 0));
    }

    [Theory]
    [InlineData(NnErrno.InvalidArgument)]
    [InlineData(NnErrno.Busy)]
    [InlineData(NnErrno.RuntimeError)]
    [InlineData(NnErrno.UnsupportedOperation)]
    [InlineData(NnErrno.ContextFull)]
    [InlineData(NnErrno.PromptTooLong)]
    public void What_a_backend_answers_is_what_the_guest_gets(NnErrno errno)
    {
        using var guest = new Guest(new()
        {
            Backends = [new FakeBackend(NnEncoding.Onnx) { OnLoad = _ => throw new NnException(errno, "operator Foo is not there") }],
        });

        Assert.Equal(errno, guest.Load(NnEncoding.Onnx, "model"u8.ToArray()));
        Assert.Equal(
            $"wasi_ephemeral_nn.load: operator Foo is not there (errno {(int)errno})", Assert.Single(guest.Log));
    }

    [Fact]
    public void What_a_backend_did_not_foresee_ends_the_call_and_not_the_host()
    {
        using var guest = new Guest(new()
        {
            Backends = [new FakeBackend(NnEncoding.Onnx) { OnLoad = _ => throw new FormatException("\e[31mred") }],
        });

        Assert.Equal(NnErrno.RuntimeError, guest.Load(NnEncoding.Onnx, "model"u8.ToArray()));
        Assert.Contains("the engine failed: ?[31mred", Assert.Single(guest.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_not_UTF8_is_an_invalid_argument()
    {
        using var guest = NewGuest();
        var (at, length) = guest.Put([0xc3, 0x28]);

        Assert.Equal(NnErrno.InvalidArgument, guest.Call("load_by_name", at, length, Guest.Out));
    }

    [Fact]
    public void A_prompt_that_is_too_long_is_told()
    {
        using var guest = NewGuest(new FakeTextBackend());
        var context = guest.Context("default");
        guest.Prompt(context, new string('a', 1001));

        Assert.Equal(NnErrno.PromptTooLong, guest.Call("compute", context));
    }

    [Fact]
    public void A_model_whose_bytes_show_what_it_is_needs_no_encoding()
    {
        File.WriteAllBytes(_file, [0x08, 0x07, 0x12, 0x00]);
        using var guest = NewGuest();

        Assert.Equal(NnErrno.Success, guest.LoadByName("any"));
        Assert.Single(_backend.Models);
    }
}
