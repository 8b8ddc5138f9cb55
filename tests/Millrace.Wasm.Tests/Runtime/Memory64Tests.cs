using System.Text;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class Memory64Tests
{
    const string Bulk = """
        (module
          (memory $m (export "m") i64 1 2)
          (memory $n i32 1)
          (table $t (export "t") i64 4 8 funcref)
          (table $u 4 funcref)
          (data $d "abcd")
          (elem $e func $f $f)
          (func $f)
          (func (export "memory.fill") (param i64 i64) (memory.fill $m (local.get 0) (i32.const 7) (local.get 1)))
          (func (export "memory.copy to") (param i64 i64)
            (memory.copy $m $m (local.get 0) (i64.const 0) (local.get 1)))
          (func (export "memory.copy from") (param i64 i64)
            (memory.copy $m $m (i64.const 0) (local.get 0) (local.get 1)))
          (func (export "memory.copy mixed") (param i64 i64)
            (memory.copy $n $m (i32.const 0) (local.get 0) (i32.wrap_i64 (local.get 1))))
          (func (export "memory.init") (param i64 i64)
            (memory.init $m $d (local.get 0) (i32.const 0) (i32.wrap_i64 (local.get 1))))
          (func (export "table.fill") (param i64 i64) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
          (func (export "table.copy to") (param i64 i64)
            (table.copy $t $t (local.get 0) (i64.const 0) (local.get 1)))
          (func (export "table.copy from") (param i64 i64)
            (table.copy $t $t (i64.const 0) (local.get 0) (local.get 1)))
          (func (export "table.copy mixed") (param i64 i64)
            (table.copy $u $t (i32.const 0) (local.get 0) (i32.wrap_i64 (local.get 1))))
          (func (export "table.init") (param i64 i64)
            (table.init $t $e (local.get 0) (i32.const 0) (i32.wrap_i64 (local.get 1))))
          (func (export "table.get") (param i64) (drop (table.get $t (local.get 0))))
          (func (export "table.set") (param i64) (table.set $t (local.get 0) (ref.null func)))
          (func (export "call_indirect") (param i64) (call_indirect $t (local.get 0)))
          (func (export "memory.grow") (param i64) (result i64) (memory.grow $m (local.get 0)))
          (func (export "memory.size") (result i64) (memory.size $m))
          (func (export "table.grow") (param i64) (result i64) (table.grow $t (ref.null func) (local.get 0)))
          (func (export "table.size") (result i64) (table.size $t)))
        """;

    // The comparison's seed 2001495: an address at the very end of the address space was refused.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Addresses_of_any_size_that_are_constants_trap_as_others_do(bool isConstant)
    {
        (string Name, int Bytes)[] accesses =
            [("i32.load8_u", 1), ("i64.load", 8), ("v128.load", 16), ("i64.store8", 1), ("i32.atomic.load", 4), ("i64.atomic.rmw.add", 8)];
        ulong[] addresses =
            [0, 65520, 65536, 1UL << 32, long.MaxValue - 7, 1UL << 63, ulong.MaxValue - 15, ulong.MaxValue - 1, ulong.MaxValue];
        ulong[] offsets = [0, 8, 16, 1UL << 32, long.MaxValue, 1UL << 63, ulong.MaxValue];
        var text = new StringBuilder("(module (memory (export \"m\") i64 1)\n");
        var expected = new List<(string Name, ulong Address, bool IsInside)>();
        foreach (var (name, bytes) in accesses)
        {
            foreach (var address in addresses)
            {
                foreach (var offset in offsets)
                {
                    var operand = isConstant ? $"(i64.const {address})" : "(local.get 0)";
                    var value = name.Contains("store", StringComparison.Ordinal) || name.Contains("rmw", StringComparison.Ordinal)
                        ? "(i64.const 1)" : "";
                    var access = $"({name} offset={offset} {operand} {value})";
                    text.Append($"(func (export \"{expected.Count}\") (param i64) ");
                    text.Append(name.Contains("store", StringComparison.Ordinal) ? access : $"(drop {access})").Append(")\n");
                    expected.Add((name, address, (UInt128)address + offset + (uint)bytes <= 65536));
                }
            }
        }
        using var engine = new Engine(new() { Features = WasmFeatures.All });
        using var guest = Guest.FromWat(text.Append(')').ToString(), engine: engine);

        for (var i = 0; i < expected.Count; i++)
        {
            var (name, address, isInside) = expected[i];
            var call = () => guest.Call($"{i}", Value.From((long)address));
            if (isInside) call();
            else if (name.Contains("atomic", StringComparison.Ordinal)) Assert.Throws<TrapException>(call); // or unaligned
            else Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(call).Code);
        }
    }

    [Theory]
    [InlineData("memory.fill", 65536)]
    [InlineData("memory.copy to", 65536)]
    [InlineData("memory.copy from", 65536)]
    [InlineData("memory.copy mixed", 65536)]
    [InlineData("memory.init", 65536)]
    [InlineData("table.fill", 4)]
    [InlineData("table.copy to", 4)]
    [InlineData("table.copy from", 4)]
    [InlineData("table.copy mixed", 4)]
    [InlineData("table.init", 4)]
    public void Ranges_outside_trap_also_where_their_end_overflows(string name, long length)
    {
        using var guest = Guest.FromWat(Bulk);
        var expected = name.StartsWith("memory", StringComparison.Ordinal)
            ? TrapCode.OutOfBoundsMemoryAccess
            : TrapCode.OutOfBoundsTableAccess;
        guest.Call(name, Value.From(length), Value.From(0L));
        guest.Call(name, Value.From(length - 2), Value.From(2L));

        (long Start, long Count)[] outside =
        [
            (length + 1, 0), (length - 1, 2), (1L << 32, 0), (1L << 32, 1), (long.MinValue, 1), (-1, 0), (-1, 1),
            (-1, 2), (-2, 2), (0, length + 1), (1, 0xFFFFFFFF),
        ];
        foreach (var (start, count) in outside)
            Assert.Equal(expected, guest.Traps(name, Value.From(start), Value.From(count)).Code);
    }

    [Theory]
    [InlineData("memory.fill")]
    [InlineData("memory.copy to")]
    [InlineData("memory.copy from")]
    [InlineData("table.fill")]
    [InlineData("table.copy to")]
    [InlineData("table.copy from")]
    public void A_length_of_64_bits_is_not_taken_for_a_short_one(string name)
    {
        using var guest = Guest.FromWat(Bulk);

        foreach (var count in (long[])[1L << 32, (1L << 32) + 1, long.MinValue, -1])
            Assert.Throws<TrapException>(() => guest.Call(name, Value.From(1L), Value.From(count)));
    }

    [Theory]
    [InlineData("table.get", TrapCode.OutOfBoundsTableAccess)]
    [InlineData("table.set", TrapCode.OutOfBoundsTableAccess)]
    [InlineData("call_indirect", TrapCode.UndefinedElement)]
    public void An_index_of_64_bits_is_not_taken_for_a_short_one(string name, TrapCode expected)
    {
        using var guest = Guest.FromWat(Bulk);

        foreach (var index in (long[])[4, 1L << 32, (1L << 32) + 1, 1L << 63, -1])
            Assert.Equal(expected, guest.Traps(name, Value.From(index)).Code);
        if (name == "call_indirect")
            Assert.Equal(TrapCode.UninitializedElement, guest.Traps(name, Value.From(1L)).Code);
    }

    [Theory]
    [InlineData("memory", 1)]
    [InlineData("table", 4)]
    public void Growing_takes_and_gives_64_bits(string what, long before)
    {
        using var guest = Guest.FromWat(Bulk);

        foreach (var much in (long[])[5, 1L << 32, (1L << 32) + 1, 1L << 47, 1L << 48, 1L << 63, -1])
            Assert.Equal(-1, guest.Call($"{what}.grow", Value.From(much))[0].AsI64);
        Assert.Equal(before, guest.Call($"{what}.grow", Value.From(1L))[0].AsI64);
        Assert.Equal(before + 1, guest.Call($"{what}.size")[0].AsI64);
    }

    [Theory]
    [InlineData("(memory i64 0x1000000000000)")]
    [InlineData("(memory i64 0x800000000000)")]
    [InlineData("(memory i64 65537)")]
    [InlineData("(table i64 0xffffffffffffffff funcref)")]
    [InlineData("(table i64 0x8000000000000000 funcref)")]
    [InlineData("(table i64 10000001 funcref)")]
    public void A_size_beyond_the_limits_fails_the_link(string field)
    {
        foreach (var isPortable in (bool[])[false, true])
        {
            using var engine = new Engine(new() { IsPortable = isPortable });

            Assert.Throws<LinkException>(() => Guest.FromWat($"(module {field})", engine: engine).Dispose());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_store_without_limits_grows_to_what_the_system_gives(bool isPortable)
    {
        using var engine = new Engine(new() { IsPortable = isPortable });
        using var guest = Guest.FromWat(
            """(module (memory (export "m") i64 1))""", new() { MemoryBytesMax = long.MaxValue }, engine: engine);
        var memory = guest.Instance.FindMemory("m")!;

        foreach (var much in (long[])[1L << 31, (1L << 47) - 2, 1L << 47, (1L << 48) - 1])
            Assert.Equal(-1, memory.Grow(much));
        Assert.Equal(1, memory.Grow(1));
        Assert.Equal(2 * Memory.PageBytes, guest.Store.MemoryBytes);
    }

    [Theory]
    [InlineData("""(memory (import "m" "i64") 1)""")]
    [InlineData("""(memory (import "m" "i32") i64 1)""")]
    [InlineData("""(table (import "t" "i64") 1 funcref)""")]
    [InlineData("""(table (import "t" "i32") i64 1 funcref)""")]
    public void An_import_with_the_other_kind_of_address_does_not_fit(string import)
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var linker = new Linker(engine);
        linker.Define("m", "i32", new Memory(store, 1));
        linker.Define("m", "i64", new Memory(store, 1, is64: true));
        linker.Define("t", "i32", new Table(store, ValueType.FuncRef, 1));
        linker.Define("t", "i64", new Table(store, ValueType.FuncRef, 1, is64: true));

        var fault = Assert.Throws<LinkException>(() => linker.Instantiate(
            store, Module.Compile(engine, WatText.ToBinary($"(module {import})"))));

        Assert.Contains("addresses", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Beyond_4_GiB_each_byte_has_its_own_address()
    {
        using var guest = Guest.FromWat(
            """
            (module
              (memory (export "m") i64 65538)
              (func (export "store") (param i64 i64) (i64.store offset=8 (local.get 0) (local.get 1)))
              (func (export "load") (param i64) (result i64) (i64.load offset=0x100000000 (local.get 0))))
            """,
            new() { MemoryBytesMax = 5L << 30 });
        const long Far = (1L << 32) + 1000;

        guest.Call("store", Value.From(Far - 8), Value.From(42L));
        guest.Call("store", Value.From(1000L - 8), Value.From(41L));

        Assert.Equal(42, guest.Call("load", Value.From(1000L))[0].AsI64);
        Assert.Equal(42, guest.Instance.FindMemory("m")!.Span((ulong)Far, 1)[0]);
        guest.Call("load", Value.From(2L * Memory.PageBytes - 8));
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess,
            guest.Traps("load", Value.From(2L * Memory.PageBytes - 7)).Code);
    }
}
