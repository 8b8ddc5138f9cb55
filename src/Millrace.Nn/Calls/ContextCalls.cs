using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Millrace.Nn.Calls;

/// <summary>Contexts: inputs in, a computation, outputs out.</summary>
static class ContextCalls
{
    const string Module = NnHost.ModuleName;

    // Where a caller says that its buffer has no bytes, LlamaEdge means that there is room for all: WasmEdge never
    // looked at the size. So much room it has.
    const int UnsizedBytesMax = 245_888;

    // A byte pointer that Rust makes for no buffer at all.
    const uint DanglingMax = 1;

    // The input of a text that is its options.
    const int OptionsIndex = 1;

    public static readonly CallEntry[] Entries =
    [
        new(Module, "init_execution_context", 2, static (s, m, a) => Create(s, m, a[0], a[1])),
        new(Module, "set_input", 3, static (s, m, a) => SetInput(s, m, a[0], Index(a[1]), a[2])),
        new(Module, "compute", 1, static (s, _, a) => Compute(s, a[0])),
        new(Module, "get_output", 5, static (s, m, a) => Write(
            s.Contexts.Find(a[0]).Context.GetOutput(Index(a[1])), m, a[2], a[3], a[4])),
        new(Module, "compute_single", 1, static (s, _, a) => ComputeSingle(s, a[0])),
        new(Module, "get_output_single", 5, static (s, m, a) => Write(
            s.Contexts.Find(a[0]).Text.GetOutputSingle(Index(a[1])), m, a[2], a[3], a[4])),
        new(Module, "fini_single", 1, static (s, _, a) => FinishSingle(s, a[0])),
        new(Module, "finalize_execution_context", 1, static (s, _, a) => Finish(s, a[0])),
    ];

    static int Index(uint index) => (int)Math.Min(index, int.MaxValue);

    static void Create(NnSession session, GuestMemory memory, uint handle, uint result)
    {
        _ = memory.Room(result);
        var graph = session.Graphs.Find(handle);
        session.Contexts.Reserve();
        memory.WriteU32(result, session.Contexts.Add(new(graph, graph.Graph.CreateContext())));
    }

    static void SetInput(NnSession session, GuestMemory memory, uint handle, int index, uint record)
    {
        var context = Loaded(session, handle);
        var tensor = GuestTensor.Read(memory, record, session.Limits, context.Graph.Graph.Inputs, index);
        session.ReserveInputBytes(tensor.Data.Length, context.Inputs.GetValueOrDefault(index));
        context.Context.SetInput(index, tensor);
        context.Inputs[index] = tensor.Data.Length;
        if (index != OptionsIndex) context.BeginText();
    }

    static void Compute(NnSession session, uint handle)
    {
        var context = Loaded(session, handle);
        context.BeginText();
        session.Compute(context.Context.Compute);
    }

    static void ComputeSingle(NnSession session, uint handle)
    {
        var context = Loaded(session, handle);
        var text = context.Text;
        // LlamaEdge asks again for each of the last pieces that it sends, the counts and the end mark: a text that began
        // anew would be sent as well.
        if (context.End is { } end) throw end;
        if (context.Tokens >= session.Limits.TokensMax)
            throw new NnException(NnErrno.ContextFull, $"a text of {context.Tokens} tokens, which is the limit");
        try
        {
            session.Compute(text.ComputeSingle);
        }
        catch (NnException e) when (e.Errno is NnErrno.EndOfSequence or NnErrno.ContextFull)
        {
            context.End = e;
            throw;
        }

        context.Tokens++;
    }

    static void FinishSingle(NnSession session, uint handle)
    {
        var context = session.Contexts.Find(handle);
        context.Text.FinishSingle();
        context.BeginText();
    }

    static void Finish(NnSession session, uint handle)
    {
        var context = session.Contexts.Find(handle);
        session.Contexts.Remove(handle);
        context.Context.Dispose();
    }

    static LoadedContext Loaded(NnSession session, uint handle)
    {
        var context = session.Contexts.Find(handle);
        return context.Graph.IsUnloaded
            ? throw new NnException(NnErrno.InvalidArgument, $"the graph of context {handle} is unloaded") : context;
    }

    static void Write(Tensor output, GuestMemory memory, uint buffer, uint bytesMax, uint result)
    {
        _ = memory.Room(result);
        var data = output.Data.Span;
        if (bytesMax > 0)
        {
            var copied = data[..(int)Math.Min(bytesMax, (uint)data.Length)];
            copied.CopyTo(memory.Bytes(buffer, (uint)copied.Length));
        }
        else if (buffer > DanglingMax)
        {
            var room = Math.Max(0, memory.Length - buffer);
            data = data[..(int)Math.Min(data.Length, Math.Min(room, UnsizedBytesMax))];
            data.CopyTo(memory.Bytes(buffer, (uint)data.Length));
        }

        memory.WriteU32(result, (uint)data.Length);
    }
}

/// <summary>A guest's tensor: sizes, type, bytes.</summary>
static class GuestTensor
{
    const uint RecordBytes = 20;
    const uint RankMax = 32;

    // One byte; what stands for 2 to 4 changed with WasmEdge 0.15, and programs of both ages run.
    static readonly TensorType[][] Types =
    [
        [TensorType.F16],
        [TensorType.F32],
        [TensorType.F64, TensorType.U8],
        [TensorType.U8, TensorType.I32],
        [TensorType.I32],
        [TensorType.I64],
    ];

    public static Tensor Read(
        GuestMemory memory, uint address, NnLimits limits, ImmutableArray<TensorPort> ports, int index)
    {
        var record = memory.Bytes(address, RecordBytes);
        var (dimensionsAt, rank, type) = (U32(record), U32(record[4..]), record[8]);
        var (dataAt, length) = (U32(record[12..]), U32(record[16..]));
        if (length > limits.TensorBytesMax)
            throw new NnException(NnErrno.TooLarge, $"a tensor of {length} bytes; the limit is {limits.TensorBytesMax}");
        var data = memory.Bytes(dataAt, length);
        // A model of text takes bytes, whatever type and sizes say.
        if (ports.IsEmpty) return new(TensorType.U8, [length], data.ToArray());
        if (index >= ports.Length)
            throw new NnException(NnErrno.InvalidArgument, $"there is no input {index}; the model has {ports.Length}");
        if (rank > RankMax) throw new NnException(NnErrno.InvalidArgument, $"a tensor of {rank} dimensions");
        if (type >= Types.Length) throw new NnException(NnErrno.InvalidArgument, $"{type} is no tensor type");
        var dimensions = ImmutableArray.CreateBuilder<long>((int)rank);
        for (var sizes = memory.Bytes(dimensionsAt, rank * 4); !sizes.IsEmpty; sizes = sizes[4..]) dimensions.Add(U32(sizes));
        var shape = dimensions.MoveToImmutable();
        return new(Choose(Types[type], ports[index], shape, length), shape, data.ToArray());
    }

    // The type that the model wants, if the number can mean it; else the one that the length allows, the newer first.
    static TensorType Choose(TensorType[] types, TensorPort port, ImmutableArray<long> shape, uint length)
    {
        var count = Tensor.Count(shape);
        var fitting = types.Where(type => (long)count * Tensor.Bytes(type) == length).ToArray();
        if (fitting.Length == 0)
        {
            throw new NnException(NnErrno.InvalidArgument, $"input '{port.Name}': {length} bytes are no tensor of "
                + $"[{string.Join(", ", shape)}] of {string.Join(" or ", types)}");
        }

        if (port.Type is { } wanted)
        {
            if (fitting.Contains(wanted)) return wanted;
            // Guests have no number for these, and their bytes are the same.
            if (fitting.Contains(TensorType.U8) && wanted is TensorType.I8 or TensorType.Bool) return wanted;
            if (fitting.Contains(TensorType.I32) && wanted is TensorType.U32) return wanted;
            if (fitting.Contains(TensorType.I64) && wanted is TensorType.U64) return wanted;
        }

        return fitting[0];
    }

    static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
