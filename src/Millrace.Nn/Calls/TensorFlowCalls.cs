using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Millrace.Nn.Calls;

/// <summary>WasmEdge's <c>wasmedge_tensorflow</c>: frozen graphs by the names of their tensors.</summary>
static class TensorFlowCalls
{
    public const string Module = "wasmedge_tensorflow";

    const uint RankMax = 32;
    const int NameBytesMax = 4096;

    /// <summary>TensorFlow's numbers.</summary>
    static readonly Dictionary<uint, TensorType> Types = new()
    {
        [1] = TensorType.F32,
        [2] = TensorType.F64,
        [3] = TensorType.I32,
        [4] = TensorType.U8,
        [5] = TensorType.I16,
        [6] = TensorType.I8,
        [9] = TensorType.I64,
        [10] = TensorType.Bool,
        [17] = TensorType.U16,
        [19] = TensorType.F16,
        [22] = TensorType.U32,
        [23] = TensorType.U64,
    };

    public static readonly CallEntry[] Entries =
    [
        Entry("create_session", 3, static (s, m, a) => Create(s, m, a[0], a[1], a[2])),
        Entry("create_session_saved_model", 5, static (_, _, _) => throw new NnException(
            NnErrno.UnsupportedOperation, "a SavedModel is a folder of the host's, which is not read: freeze the graph into one file")),
        Entry("delete_session", 1, static (s, _, a) => Delete(s, a[0])),
        Entry("run_session", 1, static (s, _, a) => Run(s, a[0])),
        Entry("append_input", 8, AppendInput),
        Entry("append_output", 3, static (s, m, a) => s.TensorFlow.Find(a[0]).AddOutput(Name(s, m, a[1], a[2]))),
        Entry("clear_input", 1, static (s, _, a) => s.TensorFlow.Find(a[0]).ClearInputs()),
        Entry("clear_output", 1, static (s, _, a) => s.TensorFlow.Find(a[0]).ClearOutputs()),
        Entry("get_output_tensor", 4, static (s, m, a) =>
            m.WriteU32(a[3], (uint)s.TensorFlow.Find(a[0]).Output(Name(s, m, a[1], a[2])))),
        Entry("get_tensor_len", 3, static (s, m, a) =>
            m.WriteU32(a[2], (uint)(s.TensorFlow.Find(a[0]).Result(a[1])?.Data.Length ?? 0))),
        Entry("get_tensor_data", 5, static (s, m, a) => Copy(s.TensorFlow.Find(a[0]).Result(a[1]), m, a[2], a[3], a[4])),
    ];

    static CallEntry Entry(string name, int parameters, NnCall call) =>
        new(Module, name, parameters, call) { Fault = NnErrno.MissingMemory };

    static string Name(NnSession session, GuestMemory memory, uint at, uint length) =>
        memory.ReadText(at, length, Math.Min(NameBytesMax, session.Limits.TextBytesMax));

    static void Create(NnSession session, GuestMemory memory, uint at, uint length, uint result)
    {
        _ = memory.Room(result);
        session.TensorFlow.Reserve();
        session.ReserveBuilderBytes(length);
        var model = memory.Bytes(at, length).ToArray();
        var graph = session.Load(cancel => session.Models.Load(NnEncoding.TensorFlow, new([model]) { Cancel = cancel }));
        memory.WriteU32(result, session.TensorFlow.Add(new(model, graph)));
    }

    static void Delete(NnSession session, uint handle)
    {
        if (!session.TensorFlow.TryFind(handle, out var one)) return;
        session.TensorFlow.Remove(handle);
        one.Dispose();
    }

    static void Run(NnSession session, uint handle)
    {
        var one = session.TensorFlow.Find(handle);
        try
        {
            one.Run(session);
        }
        catch (NnException e)
        {
            // WasmEdge has this one number for all that can go wrong here.
            throw new NnException(NnErrno.Busy, e.Message);
        }
    }

    static void AppendInput(NnSession session, GuestMemory memory, Arguments arguments)
    {
        var one = session.TensorFlow.Find(arguments[0]);
        var index = one.Input(Name(session, memory, arguments[1], arguments[2]));
        var (rank, type, length) = (arguments[4], arguments[5], arguments[7]);
        if (rank > RankMax) throw new NnException(NnErrno.InvalidArgument, $"a tensor of {rank} dimensions");
        if (!Types.TryGetValue(type, out var known))
            throw new NnException(NnErrno.InvalidArgument, $"tensors of TensorFlow's type {type} are not computed");
        if (length > session.Limits.TensorBytesMax)
            throw new NnException(NnErrno.TooLarge, $"a tensor of {length} bytes; the limit is {session.Limits.TensorBytesMax}");
        var shape = ImmutableArray.CreateBuilder<long>((int)rank);
        for (var sizes = memory.Bytes(arguments[3], rank * sizeof(long)); !sizes.IsEmpty; sizes = sizes[sizeof(long)..])
            shape.Add(BinaryPrimitives.ReadInt64LittleEndian(sizes));
        var dimensions = shape.MoveToImmutable();
        var bytes = memory.Bytes(arguments[6], length);
        if ((long)Tensor.Count(dimensions) * Tensor.Bytes(known) != length)
        {
            throw new NnException(
                NnErrno.InvalidArgument, $"{length} bytes are no tensor of [{string.Join(", ", dimensions)}] of {known}");
        }

        session.ReserveInputBytes(length, one.BytesOf(index));
        one.SetInput(index, new(known, dimensions, bytes.ToArray()));
    }

    static void Copy(Tensor? tensor, GuestMemory memory, uint buffer, uint length, uint result)
    {
        _ = memory.Room(result);
        var room = memory.Bytes(buffer, length);
        var data = tensor is null ? [] : tensor.Data.Span;
        data = data[..Math.Min(data.Length, room.Length)];
        data.CopyTo(room);
        memory.WriteU32(result, (uint)data.Length);
    }
}
