using System.Collections.Immutable;
using Millrace.Wasm;

namespace Millrace.Nn.Tests;

/// <summary>What a guest may not take, and what it cannot reach.</summary>
public sealed class LimitTests : IDisposable
{
    static readonly TimeSpan TestTimeout = TimeSpan.FromMinutes(2);

    readonly string _file = Path.GetTempFileName();
    readonly FakeBackend _backend = new(NnEncoding.Onnx, new TensorPort("x", TensorType.U8, [-1]));
    readonly FakeTextBackend _text = new();

    public void Dispose() => File.Delete(_file);

    NnOptions Options(NnLimits limits) => new()
    {
        Backends = [_backend, _text],
        Models = ImmutableDictionary<string, NamedModel>.Empty
            .Add("net", new("net", NnEncoding.Onnx, NnTarget.Cpu, [_file]))
            .Add("default", new("default", NnEncoding.Ggml, NnTarget.Cpu, [_file])),
        Limits = limits,
    };

    static void Refused(Guest guest, NnErrno errno, string limit)
    {
        Assert.Equal(NnErrno.TooLarge, errno);
        Assert.Contains(limit, guest.Log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Graphs_are_counted_and_one_that_is_unloaded_makes_room()
    {
        using var guest = new Guest(Options(new() { GraphsMax = 2 }));
        Assert.Equal(NnErrno.Success, guest.Load(NnEncoding.Onnx, [1]));
        Assert.Equal(NnErrno.Success, guest.Load(NnEncoding.Onnx, [1]));

        Refused(guest, guest.Load(NnEncoding.Onnx, [1]), "2 graphs");
        Refused(guest, guest.LoadByName("net"), "2 graphs");

        guest.MustCall("unload", 0);
        Assert.Equal(NnErrno.Success, guest.LoadByName("net"));
        Assert.Equal(2u, guest.U32(Guest.Out));
    }

    [Fact]
    public void A_load_that_takes_long_ends_with_the_guest()
    {
        using var stop = new CancellationTokenSource();
        var backend = new FakeBackend(NnEncoding.Onnx)
        {
            OnLoad = model =>
            {
                stop.Cancel();
                Assert.True(model.Cancel.WaitHandle.WaitOne(TestTimeout));
                model.Cancel.ThrowIfCancellationRequested();
            },
        };
        using var guest = new Guest(Options(new()) with { Backends = [backend], Stop = stop.Token });

        var trap = Assert.Throws<TrapException>(() => guest.Load(NnEncoding.Onnx, [1]));

        Assert.Equal(TrapCode.Interrupted, trap.Code);
    }

    [Fact]
    public void Contexts_are_counted_and_their_handles_never_come_back()
    {
        using var guest = new Guest(Options(new() { ContextsMax = 2 }));
        Assert.Equal(0u, guest.Context("net"));
        Assert.Equal(1u, guest.Context("net"));

        Refused(guest, guest.Call("init_execution_context", 0, Guest.Out), "2 contexts");

        guest.MustCall("finalize_execution_context", 0);
        Assert.Equal(2u, guest.Context("net"));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("compute", 0));
    }

    [Fact]
    public void The_bytes_of_models_that_a_guest_brings_are_bounded_together()
    {
        using var guest = new Guest(Options(new() { BuilderBytesMax = 10, BuildersMax = 3 }));

        Refused(guest, guest.Load(NnEncoding.Onnx, [1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11]), "the limit is 10");
        Refused(guest, guest.Load(NnEncoding.Onnx, [1], [2], [3], [4]), "the limit is 3");
        Assert.Equal(NnErrno.Success, guest.Load(NnEncoding.Onnx, [1, 2, 3, 4, 5, 6]));
        Refused(guest, guest.Load(NnEncoding.Ggml, [1, 2, 3, 4, 5]), "beside 6 of others");
        guest.MustCall("unload", 0);
        Assert.Equal(NnErrno.Success, guest.Load(NnEncoding.Ggml, [1, 2, 3, 4, 5]));
    }

    [Fact]
    public void Tensors_are_bounded_each_and_together()
    {
        using var guest = new Guest(Options(new() { TensorBytesMax = 10, InputBytesMax = 15 }));
        var (one, other) = (guest.Context("net"), guest.Context("net"));

        Refused(guest, guest.SetInput(one, 0, 3, [11], new byte[11]), "the limit is 10");
        Assert.Equal(NnErrno.Success, guest.SetInput(one, 0, 3, [10], new byte[10]));
        Assert.Equal(NnErrno.Success, guest.SetInput(one, 0, 3, [10], new byte[10]));
        Refused(guest, guest.SetInput(other, 0, 3, [6], new byte[6]), "the limit is 15");
        guest.MustCall("finalize_execution_context", one);
        Assert.Equal(NnErrno.Success, guest.SetInput(other, 0, 3, [6], new byte[6]));
    }

    [Fact]
    public void Sizes_that_no_memory_could_hold_are_refused()
    {
        using var guest = new Guest(Options(new()));
        var context = guest.Context("net");

        Assert.Equal(NnErrno.TooLarge, guest.SetInput(context, 0, 3, [uint.MaxValue, uint.MaxValue], new byte[8]));
        Assert.Equal(NnErrno.InvalidArgument, guest.SetInput(context, 0, 3, [.. Enumerable.Repeat(1u, 33)], new byte[1]));
    }

    [Fact]
    public void Texts_are_bounded()
    {
        using var guest = new Guest(Options(new() { TextBytesMax = 8 }));

        Refused(guest, guest.LoadByName("a long name"), "the limit is 8");
        Refused(guest, guest.LoadByName("net", """{"n-predict":1}"""), "the limit is 8");
    }

    [Fact]
    public void Tokens_are_bounded_one_by_one_here_and_otherwise_by_the_backend()
    {
        using var guest = new Guest(Options(new() { TokensMax = 2 }));
        var context = guest.Context("default");
        guest.Prompt(context, "abcdef");
        guest.MustCall("compute_single", context);
        guest.MustCall("compute_single", context);

        Assert.Equal(NnErrno.ContextFull, guest.Call("compute_single", context));

        Assert.Contains("2 tokens, which is the limit", guest.Log[^1], StringComparison.Ordinal);
        guest.MustCall("fini_single", context);
        guest.MustCall("compute_single", context);
        Assert.Equal(2, _text.Models[0].TokensMax);
    }

    [Fact]
    public void A_computation_ends_with_its_time_and_the_guest_goes_on()
    {
        var backend = new FakeBackend(NnEncoding.Onnx) { OnCompute = WaitForTheEnd };
        using var guest = new Guest(Options(new() { ComputeTimeMax = TimeSpan.FromMilliseconds(50) }) with { Backends = [backend] });
        var context = guest.Context("net");
        guest.SetInput(context, 0, 3, [1], [1]);

        Assert.Equal(NnErrno.RuntimeError, guest.Call("compute", context));
        Assert.Contains("longer than 0.05 s, its limit", guest.Log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_computation_ends_with_the_guest_when_that_is_stopped()
    {
        using var stop = new CancellationTokenSource();
        var backend = new FakeBackend(NnEncoding.Onnx)
        {
            OnCompute = cancel =>
            {
                stop.Cancel();
                WaitForTheEnd(cancel);
            },
        };
        using var guest = new Guest(Options(new()) with { Backends = [backend], Stop = stop.Token });
        var context = guest.Context("net");
        guest.SetInput(context, 0, 3, [1], [1]);

        Assert.Equal(TrapCode.Interrupted, Assert.Throws<TrapException>(() => guest.Call("compute", context)).Code);
    }

    [Fact]
    public void A_guest_sees_only_the_graphs_that_it_loaded_itself()
    {
        using var guest = new Guest(Options(new()));
        guest.Context("net");

        guest.Renew();

        Assert.Equal(NnErrno.InvalidArgument, guest.Call("init_execution_context", 0, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, guest.Call("unload", 0));
        Assert.Equal(0u, guest.Context("net"));
    }

    [Fact]
    public void A_guest_reaches_no_file_of_the_host_by_a_builder_that_names_one()
    {
        File.WriteAllText(_file, "the host's");
        using var guest = new Guest(Options(new()));

        Assert.Equal(NnErrno.Success, guest.Load(NnEncoding.Ggml, System.Text.Encoding.UTF8.GetBytes($"preload:{_file}")));

        Assert.NotEqual(_file, _text.Models[0].Path);
        Assert.Equal($"preload:{_file}", System.Text.Encoding.UTF8.GetString(_text.LastFile));
        guest.MustCall("unload", 0);
        Assert.False(File.Exists(_text.Models[0].Path));
    }

    [Fact]
    public void What_a_guest_left_is_freed_with_its_host()
    {
        var guest = new Guest(Options(new()));
        guest.Context("net");
        guest.Load(NnEncoding.Ggml, "GGUF"u8.ToArray());

        guest.Dispose();

        Assert.Equal(0, _backend.Open);
        Assert.False(File.Exists(_text.Models[0].Path));
    }

    [Fact]
    public void A_guest_that_fails_in_a_loop_does_not_fill_the_log()
    {
        using var guest = new Guest(Options(new()));

        for (var i = 0; i < 3000; i++) guest.Call("compute", 7);

        Assert.Equal(1001, guest.Log.Count);
        Assert.Contains("dropped", guest.Log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_numbers_a_guest_hands_over_it_gets_an_errno()
    {
        using var guest = new Guest(Options(new() { BuilderBytesMax = 1 << 20, TensorBytesMax = 1 << 20 }));
        var chance = new Random(7);
        uint[] likely = [0, 1, 2, 3, 4, 5, 6, 8, 64, 4096, 65536, 0xffff, 0x100000, 0xffff_ffff, 0x7fff_ffff];
        guest.Context("net");
        guest.Context("default");

        for (var i = 0; i < 20_000; i++)
        {
            var call = Calls.CallTable.All[chance.Next(Calls.CallTable.All.Length)];
            var arguments = Enumerable.Range(0, call.Parameters)
                .Select(_ => chance.Next(4) == 0 ? (uint)chance.NextInt64(1L << 32) : likely[chance.Next(likely.Length)]).ToArray();
            Assert.True(Enum.IsDefined(guest.Call(call.Name, arguments)), call.Name);
        }
    }

    static void WaitForTheEnd(CancellationToken cancel)
    {
        Assert.True(cancel.WaitHandle.WaitOne(TestTimeout));
        cancel.ThrowIfCancellationRequested();
    }
}
