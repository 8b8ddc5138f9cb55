using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Atomic instructions, by width; addresses are checked and aligned. All are full barriers, which makes them
/// sequentially consistent. Narrow results are zero-extended; narrow operands are wrapped.
/// </summary>
static unsafe class GuestAtomics
{
    const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)] public static int Load8(nint at) => Volatile.Read(ref *(byte*)at);
    [MethodImpl(Inline)] public static int Load16(nint at) => Volatile.Read(ref *(ushort*)at);
    [MethodImpl(Inline)] public static int Load32(nint at) => Volatile.Read(ref *(int*)at);
    [MethodImpl(Inline)] public static long Load64(nint at) => Volatile.Read(ref *(long*)at);

    [MethodImpl(Inline)]
    public static int Exchange8(nint at, int value) => Interlocked.Exchange(ref *(byte*)at, (byte)value);

    [MethodImpl(Inline)]
    public static int Exchange16(nint at, int value) => Interlocked.Exchange(ref *(ushort*)at, (ushort)value);

    [MethodImpl(Inline)]
    public static int Exchange32(nint at, int value) => Interlocked.Exchange(ref *(int*)at, value);

    [MethodImpl(Inline)]
    public static long Exchange64(nint at, long value) => Interlocked.Exchange(ref *(long*)at, value);

    [MethodImpl(Inline)]
    public static int Compare8(nint at, int expected, int value) =>
        Interlocked.CompareExchange(ref *(byte*)at, (byte)value, (byte)expected);

    [MethodImpl(Inline)]
    public static int Compare16(nint at, int expected, int value) =>
        Interlocked.CompareExchange(ref *(ushort*)at, (ushort)value, (ushort)expected);

    [MethodImpl(Inline)]
    public static int Compare32(nint at, int expected, int value) =>
        Interlocked.CompareExchange(ref *(int*)at, value, expected);

    [MethodImpl(Inline)]
    public static long Compare64(nint at, long expected, long value) =>
        Interlocked.CompareExchange(ref *(long*)at, value, expected);

    [MethodImpl(Inline)]
    public static int Add32(nint at, int value) => Interlocked.Add(ref *(int*)at, value) - value;

    [MethodImpl(Inline)]
    public static long Add64(nint at, long value) => Interlocked.Add(ref *(long*)at, value) - value;

    [MethodImpl(Inline)] public static int And32(nint at, int value) => Interlocked.And(ref *(int*)at, value);
    [MethodImpl(Inline)] public static long And64(nint at, long value) => Interlocked.And(ref *(long*)at, value);
    [MethodImpl(Inline)] public static int Or32(nint at, int value) => Interlocked.Or(ref *(int*)at, value);
    [MethodImpl(Inline)] public static long Or64(nint at, long value) => Interlocked.Or(ref *(long*)at, value);

    public static int Add8(nint at, int value)
    {
        for (var seen = Load8(at); ; seen = Load8(at))
            if (Compare8(at, seen, seen + value) == seen) return seen;
    }

    public static int Add16(nint at, int value)
    {
        for (var seen = Load16(at); ; seen = Load16(at))
            if (Compare16(at, seen, seen + value) == seen) return seen;
    }

    public static int And8(nint at, int value)
    {
        for (var seen = Load8(at); ; seen = Load8(at))
            if (Compare8(at, seen, seen & value) == seen) return seen;
    }

    public static int And16(nint at, int value)
    {
        for (var seen = Load16(at); ; seen = Load16(at))
            if (Compare16(at, seen, seen & value) == seen) return seen;
    }

    public static int Or8(nint at, int value)
    {
        for (var seen = Load8(at); ; seen = Load8(at))
            if (Compare8(at, seen, seen | value) == seen) return seen;
    }

    public static int Or16(nint at, int value)
    {
        for (var seen = Load16(at); ; seen = Load16(at))
            if (Compare16(at, seen, seen | value) == seen) return seen;
    }

    public static int Xor8(nint at, int value)
    {
        for (var seen = Load8(at); ; seen = Load8(at))
            if (Compare8(at, seen, seen ^ value) == seen) return seen;
    }

    public static int Xor16(nint at, int value)
    {
        for (var seen = Load16(at); ; seen = Load16(at))
            if (Compare16(at, seen, seen ^ value) == seen) return seen;
    }

    public static int Xor32(nint at, int value)
    {
        for (var seen = Load32(at); ; seen = Load32(at))
            if (Compare32(at, seen, seen ^ value) == seen) return seen;
    }

    public static long Xor64(nint at, long value)
    {
        for (var seen = Load64(at); ; seen = Load64(at))
            if (Compare64(at, seen, seen ^ value) == seen) return seen;
    }

    public static void Fence() => Interlocked.MemoryBarrier();

    public static int Notify(Instance instance, int memory, long address, long offset, int count)
    {
        var target = instance.Memories[memory];
        var at = Address(target, address, offset, sizeof(int));
        return target.Waits?.Notify(at, (uint)count) ?? 0;
    }

    public static int Wait32(Instance instance, int memory, long address, long offset, int expected, long timeoutNs)
    {
        var target = instance.Memories[memory];
        var at = Address(target, address, offset, sizeof(int));
        if (target.Waits is not { } waits) throw new TrapException(TrapCode.ExpectedSharedMemory);
        return (int)waits.Wait(instance.Store, at, () => Load32((nint)(target.Base + at)) == expected, timeoutNs);
    }

    public static int Wait64(Instance instance, int memory, long address, long offset, long expected, long timeoutNs)
    {
        var target = instance.Memories[memory];
        var at = Address(target, address, offset, sizeof(long));
        if (target.Waits is not { } waits) throw new TrapException(TrapCode.ExpectedSharedMemory);
        return (int)waits.Wait(instance.Store, at, () => Load64((nint)(target.Base + at)) == expected, timeoutNs);
    }

    static ulong Address(Memory memory, long address, long offset, uint bytes)
    {
        var (at, room) = ((ulong)address + (ulong)offset, (ulong)memory.Length - bytes);
        if (at < (ulong)address || (ulong)memory.Length < bytes || at > room) Traps.OutOfBoundsMemoryAccess();
        if (at % bytes != 0) throw new TrapException(TrapCode.UnalignedAtomic);
        return at;
    }
}
