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
    readonly FakeBackend _backend;
    long _id;

    public NnRoomTests()
    {
        _backend = new(_isAlive);
        _room = new([_backend], frame =>
        {
            if (frame.Kind is FrameKind.Alive) _isAlive.Set();
            else _sent.Add(frame);
        });
    }

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
    public void Opens_the_files_of_a_granted_model_itself_and_puts_the_bytes_of_the_request_behind_them()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "weights");
        try
        {
            Ask(Granted(NnFile.Of(path), [7]), "options"u8.ToArray());

            Assert.Equal(["weights", "options"], _backend.Model!.Builders.Select(part => Encoding.UTF8.GetString(part.Span)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Opens_no_file_that_is_another_than_the_one_that_was_granted()
    {
        var path = Path.GetTempFileName();
        var (granted, empty) = (NnFile.Of(path) with { Length = 3 }, NnFile.Of(path));
        File.WriteAllText(path, "abc");
        var (longer, older) = (Ask(Granted(empty, [])), Ask(Granted(granted with { ModifiedAt = granted.ModifiedAt.AddDays(-1) }, [])));
        File.Delete(path);
        var gone = Ask(Granted(granted, []));

        Assert.All([longer, older, gone], answer => Assert.Equal(NnErrno.ModelNotFound, answer.Nn!.Errno));
        Assert.Contains("was changed after it was granted", longer.Message, StringComparison.Ordinal);
        Assert.Null(_backend.Model);
    }

    static NnMessage Granted(NnFile file, ImmutableArray<int> builders) =>
        new(NnOperation.Load) { Model = new(NnEncoding.Ggml, NnTarget.Cpu, builders, []) { Files = [file] } };

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

        public NnModel? Model { get; private set; }

        public INnGraph Load(NnModel model)
        {
            Model = model;
            return this;
        }

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
