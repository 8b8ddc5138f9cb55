using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.Nn.Tests;

/// <summary><c>wasmedge_tensorflow</c>, on a graph that gives its inputs back.</summary>
public sealed class TensorFlowTests : IDisposable
{
    const uint Float = 1;

    readonly FakeBackend _backend = new(
        NnEncoding.TensorFlow, new TensorPort("x:0", TensorType.F32, [1, 2]), new TensorPort("y:0", TensorType.I64, [1]));
    readonly Guest _guest;

    public TensorFlowTests() => _guest = new(new() { Backends = [_backend] });

    public void Dispose() => _guest.Dispose();

    uint Session()
    {
        var (at, length) = _guest.Put("graph");
        return _guest.MustCall("create_session", at, length, Guest.Out);
    }

    NnErrno Input(uint session, string name, uint type, long[] sizes, byte[] bytes)
    {
        var ((at, length), (sizesAt, _), (dataAt, dataLength)) =
            (_guest.Put(name), _guest.Put(MemoryMarshal.AsBytes(sizes.AsSpan())), _guest.Put(bytes));
        return _guest.Call("append_input", session, at, length, sizesAt, (uint)sizes.Length, type, dataAt, dataLength);
    }

    NnErrno ByName(string call, uint session, string name, params uint[] rest)
    {
        var (at, length) = _guest.Put(name);
        return _guest.Call(call, [session, at, length, .. rest]);
    }

    string Read(uint session, uint tensor, uint room)
    {
        _guest.MustCall("get_tensor_data", session, tensor, 8192, room, Guest.Out);
        return Encoding.UTF8.GetString(_guest.Memory.Span(8192, _guest.U32(Guest.Out)));
    }

    [Fact]
    public void Inputs_and_outputs_go_by_their_names()
    {
        var session = Session();
        Assert.Equal(NnErrno.Success, Input(session, "y", 9, [1], "computed"u8.ToArray()));
        Assert.Equal(NnErrno.Success, Input(session, "x:0", Float, [1, 2], "12345678"u8.ToArray()));
        Assert.Equal(NnErrno.Success, ByName("append_output", session, "y"));
        Assert.Equal(NnErrno.Success, ByName("append_output", session, "x"));
        Assert.Equal(NnErrno.Success, ByName("append_output", session, "y"));

        _guest.MustCall("run_session", session);

        Assert.Equal(NnErrno.Success, ByName("get_output_tensor", session, "y", Guest.Out));
        Assert.Equal(0u, _guest.U32(Guest.Out));
        Assert.Equal(8u, _guest.MustCall("get_tensor_len", session, 0, Guest.Out));
        Assert.Equal("computed", Read(session, 0, 100));
        Assert.Equal("1234", Read(session, 1, 4));
        Assert.Equal(NnErrno.Success, _guest.Call("delete_session", session));
        Assert.Equal(NnErrno.InvalidArgument, _guest.Call("run_session", session));
        Assert.Equal(0, _backend.Open);
    }

    [Fact]
    public void A_tensor_in_the_middle_of_the_graph_can_be_asked_for()
    {
        var session = Session();
        Input(session, "x", Float, [1, 2], "12345678"u8.ToArray());
        ByName("append_output", session, "middle");

        _guest.MustCall("run_session", session);

        Assert.Equal("12345678", Read(session, 0, 8));
        Assert.Equal(["middle"], _backend.Models[1].Outputs.AsEnumerable());
        Assert.Equal(1, _backend.Open);
    }

    [Fact]
    public void What_was_cleared_is_gone()
    {
        var session = Session();
        Input(session, "x", Float, [1, 2], new byte[8]);
        ByName("append_output", session, "x");
        _guest.MustCall("clear_input", session);
        _guest.MustCall("clear_output", session);

        Assert.Equal(NnErrno.Busy, _guest.Call("run_session", session));
        Assert.Contains("input 0 is not set", _guest.Log[^1], StringComparison.Ordinal);
        Assert.Equal(NnErrno.InvalidArgument, _guest.Call("get_tensor_len", session, 0, Guest.Out));
    }

    [Fact]
    public void Before_it_ran_a_tensor_has_no_bytes()
    {
        var session = Session();
        ByName("append_output", session, "x");

        Assert.Equal(0u, _guest.MustCall("get_tensor_len", session, 0, Guest.Out));
        Assert.Equal("", Read(session, 0, 8));
    }

    [Theory]
    [InlineData("z", Float, new[] { 1L, 2 }, 8)] // no such input
    [InlineData("x", Float, new[] { 1L, 2 }, 4)] // too few bytes
    [InlineData("x", Float, new[] { -1L, -2 }, 8)]
    [InlineData("x", 7u, new[] { 1L }, 8)] // a string
    public void An_input_that_does_not_fit_is_refused(string name, uint type, long[] sizes, int bytes)
    {
        Assert.Equal(NnErrno.InvalidArgument, Input(Session(), name, type, sizes, new byte[bytes]));
        Assert.NotEmpty(_guest.Log);
    }

    [Fact]
    public void What_cannot_be_is_told()
    {
        var session = Session();

        Assert.Equal(NnErrno.MissingMemory, _guest.Call("create_session", 0xffff_0000, 8, Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, ByName("get_output_tensor", session, "x", Guest.Out));
        Assert.Equal(NnErrno.InvalidArgument, _guest.Call("append_output", 99, 64, 0));
        Assert.Equal(NnErrno.UnsupportedOperation, _guest.Call("create_session_saved_model", 64, 0, 64, 0, Guest.Out));
        Assert.Contains("freeze the graph", _guest.Log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Outputs_without_end_are_refused()
    {
        var session = Session();
        for (var i = 0; i < 256; i++) Assert.Equal(NnErrno.Success, ByName("append_output", session, $"node{i}"));

        Assert.Equal(NnErrno.TooLarge, ByName("append_output", session, "node256"));
        Assert.Equal(NnErrno.TooLarge, ByName("append_output", session, new string('x', 5000)));
    }
}
