using System.Text;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class ThreadTests : IDisposable
{
    static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(30);

    readonly Engine _engine = new(new() { Features = WasmFeatures.All });

    public void Dispose() => _engine.Dispose();

    const string Waiting = """
        (module
          (memory (export "m") (import "env" "m") 1 2 shared)
          (func (export "wait") (param i64) (result i32)
            (memory.atomic.wait32 offset=8 (i32.const 0) (i32.const 0) (local.get 0)))
          (func (export "notify") (param i32) (result i32) (memory.atomic.notify (i32.const 8) (local.get 0)))
          (func (export "add") (param i32)
            (loop
              (drop (i32.atomic.rmw.add (i32.const 16) (i32.const 1)))
              (drop (i32.atomic.rmw8.add_u (i32.const 21) (i32.const 3)))
              (drop (i64.atomic.rmw16.xor_u (i32.const 26) (i64.const 0x5555)))
              (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
              (br_if 0 (local.get 0))))
          (func (export "await size") (param i32)
            (loop (br_if 0 (i32.lt_u (memory.size) (local.get 0))))
            (drop (i32.load (i32.const 65536))))
          (func (export "await byte") (result i32)
            (loop (br_if 0 (i32.eqz (i32.atomic.load (i32.const 32)))))
            (i32.load (i32.const 65536)))
          (func (export "grow") (result i32)
            (drop (memory.grow (i32.const 1)))
            (i32.store (i32.const 65536) (i32.const 77))
            (i32.atomic.store (i32.const 32) (i32.const 1))
            (memory.size)))
        """;

    Guest Join(Memory memory) =>
        Guest.FromWat(Waiting, define: linker => linker.Define("env", "m", memory), engine: _engine);

    [Fact]
    public void Updates_of_several_threads_are_all_counted()
    {
        const int Times = 20_000;
        using var store = new Store(_engine);
        using var one = Join(new Memory(store, 1, 2, isShared: true));
        using var two = Join(one.Instance.FindMemory("m")!);

        Parallel.Invoke(() => one.Call("add", Value.From(Times)), () => two.Call("add", Value.From(Times)));

        var memory = one.Instance.FindMemory("m")!;
        Assert.Equal(2 * Times, BitConverter.ToInt32(memory.Span(16, 4)));
        Assert.Equal(unchecked((byte)(6 * Times)), memory.Span(21, 1)[0]);
        Assert.Equal(0, BitConverter.ToInt32(memory.Span(26, 4)));
    }

    [Fact]
    public async Task A_waiting_thread_is_woken_by_another()
    {
        using var store = new Store(_engine);
        using var one = Join(new Memory(store, 1, 2, isShared: true));
        using var two = Join(one.Instance.FindMemory("m")!);
        var waiting = Task.Run(() => one.CallI32("wait", Value.From(-1L)));

        var woken = 0;
        while (woken == 0) woken = two.CallI32("notify", Value.From(5));

        Assert.Equal(1, woken);
        Assert.Equal(0, await waiting.WaitAsync(TestTimeout));
        Assert.Equal(0, two.CallI32("notify", Value.From(5)));
    }

    [Fact]
    public void A_wait_ends_with_its_time()
    {
        using var store = new Store(_engine);
        using var guest = Join(new Memory(store, 1, 2, isShared: true));

        Assert.Equal(2, guest.CallI32("wait", Value.From(0L)));
        Assert.Equal(2, guest.CallI32("wait", Value.From(2_000_000L)));
        Assert.Equal(0, guest.CallI32("notify", Value.From(-1)));
    }

    [Fact]
    public async Task An_interrupt_ends_a_wait()
    {
        using var store = new Store(_engine);
        using var guest = Join(new Memory(store, 1, 2, isShared: true));
        var waiting = Task.Run(() => guest.Traps("wait", Value.From(-1L)));

        while (!guest.Store.IsWaiting && !waiting.IsCompleted) await Task.Yield();
        guest.Store.Interrupt();
        var trap = await waiting.WaitAsync(TestTimeout);
        guest.Store.ClearInterrupt();

        Assert.Equal(TrapCode.Interrupted, trap.Code);
        Assert.Equal(0, guest.CallI32("notify", Value.From(-1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_one_thread_grew_another_reaches(bool isPortable)
    {
        using var engine = new Engine(new() { Features = WasmFeatures.All, IsPortable = isPortable });
        using var store = new Store(engine);
        var memory = new Memory(store, 1, 2, isShared: true);
        using var one = Guest.FromWat(Waiting, define: linker => linker.Define("env", "m", memory), engine: engine);
        using var two = Guest.FromWat(Waiting, define: linker => linker.Define("env", "m", memory), engine: engine);
        using var three = Guest.FromWat(Waiting, define: linker => linker.Define("env", "m", memory), engine: engine);
        var byAtomic = Task.Run(() => two.CallI32("await byte"));
        var bySize = Task.Run(() => three.Call("await size", Value.From(2)));

        Assert.Equal(2, one.CallI32("grow"));

        Assert.Equal(77, await byAtomic.WaitAsync(TestTimeout));
        await bySize.WaitAsync(TestTimeout);
        Assert.Equal(-1, memory.Grow(1));
    }

    [Fact]
    public void A_shared_memory_lives_as_long_as_a_store_that_uses_it()
    {
        var store = new Store(_engine);
        var memory = new Memory(store, 1, 2, isShared: true);
        var one = Join(memory);
        store.Dispose();

        one.Call("add", Value.From(1));
        Assert.Equal(1, memory.Span(16, 1)[0]);
        one.Dispose();

        Assert.Equal(0, memory.ByteLength);
        Assert.Throws<LinkException>(() => Join(memory));
    }

    [Fact]
    public void Only_shared_memories_may_be_waited_for()
    {
        using var guest = Guest.FromWat(
            """
            (module (memory 1)
              (func (export "wait") (drop (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const -1))))
              (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1))))
            """,
            engine: _engine);

        Assert.Equal(TrapCode.ExpectedSharedMemory, guest.Traps("wait").Code);
        Assert.Equal(0, guest.CallI32("notify"));
    }

    [Theory]
    [InlineData("", "is shared")]
    [InlineData("shared", "is not shared")]
    public void A_shared_memory_is_imported_as_one(string wanted, string reason)
    {
        using var store = new Store(_engine);
        var memory = new Memory(store, 1, 2, isShared: wanted.Length == 0);
        var linker = new Linker(_engine);
        linker.Define("env", "m", memory);
        var module = Module.Compile(
            _engine, WatText.ToBinary($"""(module (import "env" "m" (memory 1 2 {wanted})))"""));

        var fault = Assert.Throws<LinkException>(() => linker.Instantiate(store, module));

        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Inside and aligned, or a trap that changes nothing; 32 and 64 bits, memories 0 and 1.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Atomic_accesses_stay_inside_and_aligned(int memory, bool is64)
    {
        Instruction[] rows = [.. Instructions.All.ToArray().Where(
            row => row.IsMemoryAccess && row.Feature == WasmFeatures.Threads
                && row.Opcode is not (Opcode.MemoryAtomicWait32 or Opcode.MemoryAtomicWait64))];
        ulong[] offsets = is64 ? [0, 3, 65528, 65536, uint.MaxValue, ulong.MaxValue - 7, ulong.MaxValue]
            : [0, 3, 65528, 65536, uint.MaxValue];
        var (type, other) = is64 ? ("i64", "i32") : ("i32", "i64");
        string[] memories = [$"""(memory (export "m") {type} 1)""", $"(memory {other} 2)"];
        if (memory == 1) Array.Reverse(memories);
        var text = new StringBuilder($"(module {memories[0]} {memories[1]}");
        foreach (var row in rows)
        {
            var values = string.Join(' ', row.Parameters.Skip(1).Select(value => $"({value}.const -1)"));
            var drop = row.Results.IsEmpty ? "" : "drop";
            foreach (var offset in offsets)
            {
                text.Append($"(func (export \"{row.Name} {offset}\") (param {type}) ");
                text.Append($"({row.Name} {memory} offset={offset} (local.get 0) {values}) {drop})\n");
            }
        }
        using var guest = Guest.FromWat(text.Append(')').ToString(), engine: _engine);

        foreach (var row in rows)
        {
            foreach (var offset in offsets)
            {
                foreach (var address in Addresses(offset, (ulong)row.AccessBytes, is64))
                    Check(guest, row, address, offset, is64);
            }
        }
    }

    static IEnumerable<ulong> Addresses(ulong offset, ulong bytes, bool is64)
    {
        ulong[] all =
        [
            0, 1, 4, 5, 65536 - bytes, 65536 - bytes - offset, 65536 - offset, 65536, (ulong)-(long)offset,
            uint.MaxValue, 1UL << 32, 1UL << 63, ulong.MaxValue,
        ];
        return all.Where(address => is64 || address <= uint.MaxValue).Distinct();
    }

    static void Check(Guest guest, Instruction row, ulong address, ulong offset, bool is64)
    {
        var at = (UInt128)address + offset;
        var bytes = (uint)row.AccessBytes;
        TrapCode? expected = at + bytes > 65536 ? TrapCode.OutOfBoundsMemoryAccess
            : at % bytes != 0 ? TrapCode.UnalignedAtomic : null;
        var argument = is64 ? Value.From((long)address) : Value.From((int)address);
        var name = $"{row.Name} {offset}";
        if (expected is null) guest.Call(name, argument);
        else Assert.True(expected == guest.Traps(name, argument).Code, $"{name} at {address}");
    }
}
