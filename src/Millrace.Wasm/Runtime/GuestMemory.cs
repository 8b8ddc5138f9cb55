namespace Millrace.Wasm.Runtime;

/// <summary>Memory instructions that are more than a load or a store.</summary>
static unsafe class GuestMemory
{
    // Large copies and fills come in parts, so that an interrupt does not wait for gigabytes.
    const nuint Part = 1 << 20;

    public static int Grow(Instance instance, int memory, int pages) =>
        (int)instance.Memories[memory].Grow((uint)pages);

    public static void Fill(Instance instance, int memory, int address, int value, int length)
    {
        var target = Range(instance.Memories[memory], (uint)address, (uint)length);
        for (nuint done = 0; done < (uint)length; done += Part)
        {
            if (done != 0) CheckInterrupt(instance);
            new Span<byte>(target + done, (int)Math.Min((uint)length - done, Part)).Fill((byte)value);
        }
    }

    public static void Copy(Instance instance, int targetMemory, int sourceMemory, int target, int source, int length)
    {
        var to = Range(instance.Memories[targetMemory], (uint)target, (uint)length);
        var from = Range(instance.Memories[sourceMemory], (uint)source, (uint)length);
        if (to <= from) CopyUp(instance, to, from, (uint)length);
        else CopyDown(instance, to, from, (uint)length);
    }

    public static void Init(Instance instance, int memory, int segment, int address, int source, int length)
    {
        var content = instance.Module.Definition.Data[segment].Content;
        var available = instance.DroppedData[segment] ? 0 : (uint)content.Length;
        if ((ulong)(uint)source + (uint)length > available) Traps.OutOfBoundsMemoryAccess();
        var target = Range(instance.Memories[memory], (uint)address, (uint)length);
        instance.Module.Definition.Bytes.Span.Slice(content.Start + source, length)
            .CopyTo(new Span<byte>(target, length));
    }

    public static void DropData(Instance instance, int segment) => instance.DroppedData[segment] = true;

    static byte* Range(Memory memory, uint address, uint length)
    {
        if ((ulong)address + length > (ulong)memory.Length) Traps.OutOfBoundsMemoryAccess();
        return memory.Base + address;
    }

    static void CopyUp(Instance instance, byte* to, byte* from, nuint length)
    {
        for (nuint done = 0; done < length; done += Part)
        {
            if (done != 0) CheckInterrupt(instance);
            var part = Math.Min(length - done, Part);
            Buffer.MemoryCopy(from + done, to + done, part, part);
        }
    }

    static void CopyDown(Instance instance, byte* to, byte* from, nuint length)
    {
        for (var left = length; left > 0;)
        {
            if (left != length) CheckInterrupt(instance);
            var part = Math.Min(left, Part);
            left -= part;
            Buffer.MemoryCopy(from + left, to + left, part, part);
        }
    }

    static void CheckInterrupt(Instance instance)
    {
        if (Volatile.Read(ref instance.InterruptRequest) != 0) Traps.Throw((int)TrapCode.Interrupted);
    }
}
