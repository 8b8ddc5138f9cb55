using System.Buffers.Binary;
using Millrace.Wasm;
using ValueType = Millrace.Wasm.ValueType;

namespace Millrace.Sandbox.Door;

/// <summary>The imports of module <c>millrace</c>. Bad pointers and handles trap; bad content is a result.</summary>
static class DoorCalls
{
    const string ModuleName = "millrace";
    const int CountMax = 4096;

    public static void Define(Linker linker, RunDoor door)
    {
        linker.Define(ModuleName, "start", Type(6, 1), (caller, a, r) => r[0] = Start(door, caller.Memory, a));
        linker.Define(ModuleName, "wait", Type(4, 1), (caller, a, r) => r[0] = Wait(door, caller.Memory, a));
        linker.Define(ModuleName, "take", Type(3, 0), (caller, a, _) => Take(door, caller.Memory, a));
        linker.Define(ModuleName, "cancel", Type(1, 0), (_, a, _) => door.Cancel((uint)a[0].AsI32));
    }

    static Value Start(RunDoor door, Memory memory, ReadOnlySpan<Value> a)
    {
        var name = Bytes(memory, a[0], a[1]);
        var head = Bytes(memory, a[2], a[3]);
        var body = Bytes(memory, a[4], a[5]);
        var handle = Refusal.Check(name, head, body.Length, out var text) is { } error
            ? door.Refuse(error)
            : door.Start(text, head.ToArray(), body.ToArray());
        return Value.From((int)handle);
    }

    static Value Wait(RunDoor door, Memory memory, ReadOnlySpan<Value> a)
    {
        var (count, timeoutMs) = ((uint)a[1].AsI32, a[2].AsI32);
        if (count > CountMax) throw Fault($"cannot wait for {count} handles");
        if (timeoutMs < RunDoor.NoTimeout) throw Fault($"{timeoutMs} is no time-out");
        if (count == 0 && timeoutMs == RunDoor.NoTimeout) throw Fault("waits for nothing, without end");
        var list = Bytes(memory, a[0], Value.From((int)count * 4));
        _ = Bytes(memory, a[3], Value.From(12));
        var operations = new Operation[count];
        for (var i = 0; i < operations.Length; i++)
            operations[i] = door.Find(BinaryPrimitives.ReadUInt32LittleEndian(list[(i * 4)..]));

        var index = door.Wait(operations, timeoutMs);
        if (index < 0) return Value.From(index);
        var result = operations[index].Result!;
        var target = Bytes(memory, a[3], Value.From(12));
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)result.State);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)result.Head.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], (uint)result.Body.Length);
        return Value.From(index);
    }

    static void Take(RunDoor door, Memory memory, ReadOnlySpan<Value> a)
    {
        var handle = (uint)a[0].AsI32;
        // Checked before the handle is freed. Only once it is announced: the guest must not see whether an answer that
        // it did not wait for has come already.
        if (door.Find(handle) is { IsAnnounced: true, Result: { } announced })
        {
            _ = Bytes(memory, a[1], Value.From(announced.Head.Length));
            _ = Bytes(memory, a[2], Value.From(announced.Body.Length));
        }

        var result = door.Take(handle);
        result.Head.Span.CopyTo(Bytes(memory, a[1], Value.From(result.Head.Length)));
        result.Body.Span.CopyTo(Bytes(memory, a[2], Value.From(result.Body.Length)));
    }

    static Span<byte> Bytes(Memory memory, Value address, Value length)
    {
        // What has no bytes may be anywhere: a guest's empty slice has no address worth the name.
        if (length.AsI32 == 0) return [];
        return memory.TrySpan((uint)address.AsI32, (uint)length.AsI32, out var span)
            ? span
            : throw Fault("bad pointer");
    }

    static TrapException Fault(string detail) => new(TrapCode.HostFault, detail);

    static FunctionType Type(int parameters, int results) => new(
        [.. Enumerable.Repeat(ValueType.I32, parameters)], [.. Enumerable.Repeat(ValueType.I32, results)]);
}
