using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Millrace.Nn.Calls;

/// <summary>Models: loaded from the guest's bytes or by a name that it was granted, and unloaded.</summary>
static class GraphCalls
{
    const string Module = NnHost.ModuleName;

    const int BuilderBytes = 8;

    public static readonly CallEntry[] Entries =
    [
        new(Module, "load", 5, Load),
        new(Module, "load_by_name", 3, static (s, m, a) => LoadByName(s, m, a[0], a[1], null, a[2])),
        new(Module, "load_by_name_with_config", 5, static (s, m, a) => LoadByName(
            s, m, a[0], a[1], m.ReadText(a[2], a[3], s.Limits.TextBytesMax), a[4])),
        new(Module, "unload", 1, static (s, _, a) => Unload(s, a[0])),
    ];

    static void Load(NnSession session, GuestMemory memory, Arguments arguments)
    {
        _ = memory.Room(arguments[4]);
        var encoding = (NnEncoding)arguments[2];
        // Only a model that was granted by name may say so: what its bytes are is then the host's to know.
        if (encoding == NnEncoding.AutoDetect || !Enum.IsDefined(encoding) || encoding == NnEncoding.Llama2)
            throw new NnException(NnErrno.InvalidEncoding, $"a model cannot be loaded with encoding {arguments[2]}");
        var target = (NnTarget)arguments[3];
        if (target is not (NnTarget.Cpu or NnTarget.Gpu or NnTarget.Tpu))
            throw new NnException(NnErrno.InvalidArgument, $"target {arguments[3]} is not one of 0 (cpu), 1 (gpu) and 2 (tpu)");
        session.Graphs.Reserve();
        var builders = ReadBuilders(session, memory, arguments[0], arguments[1]);
        var graph = session.Load(cancel => session.Models.Load(encoding, new(builders, target) { Cancel = cancel }));
        memory.WriteU32(arguments[4], session.Graphs.Add(new(graph, null, builders.Sum(builder => (long)builder.Length))));
    }

    static ImmutableArray<ReadOnlyMemory<byte>> ReadBuilders(NnSession session, GuestMemory memory, uint address, uint count)
    {
        if (count == 0) throw new NnException(NnErrno.InvalidArgument, "a model without a builder");
        if (count > session.Limits.BuildersMax)
            throw new NnException(NnErrno.TooLarge, $"a model of {count} builders; the limit is {session.Limits.BuildersMax}");
        var list = memory.Bytes(address, count * BuilderBytes);
        var parts = new (uint At, uint Length)[count];
        long bytes = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            var record = list.Slice(i * BuilderBytes, BuilderBytes);
            parts[i] = (BinaryPrimitives.ReadUInt32LittleEndian(record), BinaryPrimitives.ReadUInt32LittleEndian(record[4..]));
            bytes += memory.Bytes(parts[i].At, parts[i].Length).Length;
        }

        session.ReserveBuilderBytes(bytes);
        var builders = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(parts.Length);
        foreach (var (at, length) in parts) builders.Add(memory.Bytes(at, length).ToArray());
        return builders.MoveToImmutable();
    }

    static void LoadByName(NnSession session, GuestMemory memory, uint at, uint length, string? config, uint result)
    {
        _ = memory.Room(result);
        var name = memory.ReadText(at, length, session.Limits.TextBytesMax);
        if (!session.Named.TryGetValue(name, out var handle))
        {
            session.Graphs.Reserve();
            handle = session.Graphs.Add(new(session.Load(cancel => session.Models.LoadByName(name, config, cancel)), name, 0));
            session.Named.Add(name, handle);
        }

        memory.WriteU32(result, handle);
    }

    static void Unload(NnSession session, uint handle)
    {
        var graph = session.Graphs.Find(handle);
        session.Graphs.Remove(handle);
        if (graph.Name is { } name) session.Named.Remove(name);
        graph.Dispose();
    }
}
