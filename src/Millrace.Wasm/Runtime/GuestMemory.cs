using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Memory instructions that are more than a load or a store. Addresses and lengths are unsigned; those of 32 bits come
/// zero-extended.
/// </summary>
static unsafe class GuestMemory
{
    // Large copies and fills come in parts, so that an interrupt does not wait for gigabytes.
    const ulong Part = 1 << 20;

    // The longest that two vectors cover.
    const ulong ShortMax = 32;

    public static long Grow(Instance instance, int memory, long pages) => instance.Memories[memory].Grow(pages);

    public static void Fill(Instance instance, int memory, long address, int value, long length)
    {
        var target = Range(instance.Memories[memory], address, length);
        if ((ulong)length <= ShortMax)
        {
            FillShort(target, (uint)length, (byte)value);
            return;
        }
        for (ulong done = 0; done < (ulong)length; done += Part)
        {
            if (done != 0) LongRuns.Check(instance.Store);
            new Span<byte>(target + done, (int)Math.Min((ulong)length - done, Part)).Fill((byte)value);
        }
    }

    // Most fills of C code are short, and Span.Fill writes what is shorter than a vector byte by byte. Two writes that
    // may overlap cover any length between their size and twice that.
    static void FillShort(byte* target, uint length, byte value)
    {
        var end = target + length;
        var bytes = value * 0x0101_0101_0101_0101ul;
        if (length >= 16)
        {
            var vector = Vector128.Create(value);
            vector.Store(target);
            vector.Store(end - 16);
        }
        else if (length >= 8)
        {
            Unsafe.WriteUnaligned(target, bytes);
            Unsafe.WriteUnaligned(end - 8, bytes);
        }
        else if (length >= 4)
        {
            Unsafe.WriteUnaligned(target, (uint)bytes);
            Unsafe.WriteUnaligned(end - 4, (uint)bytes);
        }
        else
        {
            while (target < end) *target++ = value;
        }
    }

    public static void Copy(Instance instance, int targetMemory, int sourceMemory, long target, long source, long length)
    {
        var to = Range(instance.Memories[targetMemory], target, length);
        var from = Range(instance.Memories[sourceMemory], source, length);
        if (to <= from) CopyUp(instance, to, from, (ulong)length);
        else CopyDown(instance, to, from, (ulong)length);
    }

    public static void Init(Instance instance, int memory, int segment, long address, int source, int length)
    {
        var content = instance.Module.Definition.Data[segment].Content;
        var available = instance.DroppedData[segment] ? 0 : (uint)content.Length;
        if ((ulong)(uint)source + (uint)length > available && !PassesUnchecked(instance, segment))
            Traps.OutOfBoundsMemoryAccess();
        var target = Range(instance.Memories[memory], address, (uint)length);
        instance.Module.Definition.Bytes.Span.Slice(content.Start + source, length)
            .CopyTo(new Span<byte>(target, length));
    }

    public static void DropData(Instance instance, int segment) => instance.DroppedData[segment] = true;

    // The sum of address and length may be more than 64 bits hold.
    static byte* Range(Memory memory, long address, long length)
    {
        var end = (ulong)memory.Length;
        var isOutside = (ulong)address > end || (ulong)length > end - (ulong)address;
        if (isOutside && !memory.Store.Lacks(SafetyCheck.MemoryRanges)) Traps.OutOfBoundsMemoryAccess();
        return memory.Base + address;
    }

    // Tests of tests alone switch these checks off.
    static bool PassesUnchecked(Instance instance, int segment) => instance.Store.Lacks(
        instance.DroppedData[segment] ? SafetyCheck.DroppedSegments : SafetyCheck.SegmentBounds);

    static void CopyUp(Instance instance, byte* to, byte* from, ulong length)
    {
        for (ulong done = 0; done < length; done += Part)
        {
            if (done != 0) LongRuns.Check(instance.Store);
            var part = Math.Min(length - done, Part);
            Buffer.MemoryCopy(from + done, to + done, part, part);
        }
    }

    static void CopyDown(Instance instance, byte* to, byte* from, ulong length)
    {
        for (var left = length; left > 0;)
        {
            if (left != length) LongRuns.Check(instance.Store);
            var part = Math.Min(left, Part);
            left -= part;
            Buffer.MemoryCopy(from + left, to + left, part, part);
        }
    }
}
