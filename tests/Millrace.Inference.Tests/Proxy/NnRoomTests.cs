using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Millrace.Inference.Proxy;
using Millrace.Inference.Worker;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Proxy;

/// <summary>The worker's side, on a model of text that answers a letter.</summary>
public sealed class NnRoomTests : IDisposable
{
    static readonly TimeSpan TestTimeout = TimeSpan.FromMinutes(2);

    readonly BlockingCollection<Frame> _sent = [];
    readonly ManualResetEventSlim _isAlive = new();
    readonly NnRoom _room;
    long _id;

    public NnRoomTests() => _room = new([new FakeBackend(_isAlive)], frame =>
    {
        if (frame.Kind is FrameKind.Alive) _isAlive.Set();
        else _sent.Add(frame);
    });

    public void Dispose()
    {
        _room.Dispose();
        _sent.Dispose();
        _isAlive.Dispose();
    }

    Frame Ask(NnMessage message, byte[]? body = null)
    {
        _room.Post(new(FrameKind.Nn, ++_id) { Nn = message, Body = body });
        Assert.True(_sent.TryTake(out var answer, TestTimeout));
        Assert.Equal(_id, answer.Id);
        return answer;
    }

    long Context()
    {
        var graph = Ask(new(NnOperation.Load) { Model = new(NnEncoding.Ggml, NnTarget.Cpu, [], []) { Path = "model" } }).Nn!.Handle;
        var created = Ask(new(NnOperation.Create) { Handle = graph }).Nn!;
        Assert.True(created.IsText);
        return created.Handle;
    }

    [Fact]
    public void Says_that_it_lives_while_it_computes()
    {
        // The computation itself waits for that.
        Assert.Equal(NnErrno.Success, Ask(new(NnOperation.Compute) { Handle = Context() }).Nn!.Errno);
    }

    [Fact]
    public void Texts_are_computed_token_by_token()
    {
        var context = Context();

        Assert.Equal(NnErrno.Success, Ask(new(NnOperation.ComputeSingle) { Handle = context }).Nn!.Errno);
        var answer = Ask(new(NnOperation.GetOutputSingle) { Handle = context });
        Assert.Equal("a", Encoding.UTF8.GetString(answer.Body.Span));
        Assert.Equal(NnErrno.EndOfSequence, Ask(new(NnOperation.ComputeSingle) { Handle = context }).Nn!.Errno);
        Assert.Equal(NnErrno.Success, Ask(new(NnOperation.FinishSingle) { Handle = context }).Nn!.Errno);
    }

    [Fact]
    public void What_is_not_there_is_an_invalid_argument()
    {
        Assert.Equal(NnErrno.InvalidArgument, Ask(new(NnOperation.Compute) { Handle = 99 }).Nn!.Errno);
        Assert.Equal(NnErrno.InvalidArgument, Ask(new(NnOperation.Create) { Handle = 99 }).Nn!.Errno);
        Assert.Equal(NnErrno.InvalidArgument, Ask(new(NnOperation.Load)).Nn!.Errno);
        Assert.Equal(NnErrno.InvalidEncoding, Ask(new(NnOperation.Load)
        {
            Model = new(NnEncoding.Whisper, NnTarget.Cpu, [], []),
        }).Nn!.Errno);
    }

    [Fact]
    public void Sizes_that_the_bytes_do_not_have_end_the_request_alone()
    {
        var answer = Ask(new(NnOperation.Load) { Model = new(NnEncoding.Ggml, NnTarget.Cpu, [5], []) }, [1]);

        Assert.Equal(NnErrno.RuntimeError, answer.Nn!.Errno);
        Assert.StartsWith("the engine cannot do what was asked (Load): the model or its input", answer.Message, StringComparison.Ordinal);
        Context();
    }

    sealed class FakeBackend(ManualResetEventSlim alive) : INnBackend, INnGraph
    {
        public NnEncoding Encoding => NnEncoding.Ggml;

        public string? WhyAbsent => null;

        public ImmutableArray<TensorPort> Inputs => [];

        public ImmutableArray<TensorPort> Outputs => [];

        public INnGraph Load(NnModel model) => this;

        public INnContext CreateContext() => new FakeContext(alive);

        public void Dispose() { }
    }

    sealed class FakeContext(ManualResetEventSlim alive) : INnTextContext
    {
        bool _isOver;

        public void SetInput(int index, Tensor tensor) { }

        public void Compute(CancellationToken cancel) => Assert.True(alive.Wait(TestTimeout, cancel));

        public Tensor GetOutput(int index) => new(TensorType.U8, [1], "a"u8.ToArray());

        public void ComputeSingle(CancellationToken cancel)
        {
            if (_isOver) throw new NnException(NnErrno.EndOfSequence, "the end");
            _isOver = true;
        }

        public Tensor GetOutputSingle(int index) => GetOutput(index);

        public void FinishSingle() => _isOver = false;

        public void Dispose() { }
    }
}
