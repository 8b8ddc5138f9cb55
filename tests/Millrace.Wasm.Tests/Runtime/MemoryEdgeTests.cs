using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Every load and store at every edge: what is outside traps and changes nothing, the rest is exact.</summary>
public sealed class MemoryEdgeTests
{
    const ulong Length = 65536;

    static readonly Instruction[] Accesses =
        [.. Instructions.All.ToArray().Where(row => row.IsMemoryAccess && row.Feature != WasmFeatures.Threads)];

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public void Only_what_lies_inside_is_read_and_written(int memory, bool is64)
    {
        foreach (var isPortable in (bool[])[false, true])
        {
            using var engine = new Engine(new() { IsPortable = isPortable });
            using var guest = Guest.FromWat(Text(memory, is64, pagesMin: 1), engine: engine);
            CheckAll(guest, memory, is64);
        }
    }

    [SkippableTheory]
    [InlineData(0, false, 1)]
    [InlineData(1, false, 1)]
    [InlineData(0, true, 1)]
    [InlineData(0, false, 0)]
    public void Only_what_lies_inside_is_accessed_where_pages_guard_it(int memory, bool is64, int pagesMin)
    {
        Skip.IfNot(
            OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64,
            "pages guard memories on Linux and x64 only");
        using var engine = new Engine(new() { MemoryChecks = MemoryChecks.Guarded });
        using var guest = Guest.FromWat(Text(memory, is64, pagesMin), engine: engine);
        guest.Instance.FindMemory("m")!.Grow(1 - pagesMin);
        CheckAll(guest, memory, is64);
    }

    // The compiler then knows nothing of the length: no check takes the short form.
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Only_what_lies_inside_is_accessed_after_the_memory_grew(int memory, bool is64)
    {
        using var guest = Guest.FromWat(Text(memory, is64, pagesMin: 0));
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("a0o0", Address(0, is64)).Code);

        guest.Instance.FindMemory("m")!.Grow(1);

        CheckAll(guest, memory, is64);
    }

    [Theory]
    [InlineData(0, false, 1)]
    [InlineData(1, true, 1)]
    [InlineData(0, true, 0)]
    public void Only_what_lies_inside_is_accessed_at_constant_addresses(int memory, bool is64, int pagesMin)
    {
        Instruction[] rows = [.. Accesses.Where(row => row.Opcode
            is Opcode.I32Load8U or Opcode.I64Load or Opcode.V128Load or Opcode.F64Store or Opcode.I64Store16)];
        var cases = rows.SelectMany(row => Offsets(is64).SelectMany(
            offset => Addresses(row.AccessBytes, offset, is64).Select(address => (row, offset, address)))).ToArray();
        var text = new StringBuilder(Memories(memory, is64, pagesMin));
        for (var i = 0; i < cases.Length; i++)
        {
            var (row, offset, address) = cases[i];
            var type = is64 ? "i64" : "i32";
            text.Append(Function($"c{i}", row, memory, offset, is64, "", $"({type}.const {address})"));
        }
        using var guest = Guest.FromWat(text.Append(')').ToString());
        var tested = guest.Instance.FindMemory("m")!;
        tested.Grow(1 - pagesMin);
        Fill(tested, 1);

        for (var i = 0; i < cases.Length; i++)
            Check(guest, tested, $"c{i}", cases[i].row, cases[i].address, cases[i].offset, is64);
    }

    static void CheckAll(Guest guest, int memory, bool is64)
    {
        var (tested, other) = (guest.Instance.FindMemory("m")!, guest.Instance.FindMemory("other")!);
        Fill(tested, 1);
        Fill(other, 2);
        for (var access = 0; access < Accesses.Length; access++)
        {
            foreach (var (offset, index) in Offsets(is64).Select((offset, index) => (offset, index)))
            {
                var name = $"a{access}o{index}";
                foreach (var address in Addresses(Accesses[access].AccessBytes, offset, is64))
                    Check(guest, tested, name, Accesses[access], address, offset, is64);
            }
        }

        Assert.True(IsFilled(other, 2), $"memory {1 - memory} changed");
    }

    static void Check(
        Guest guest, Memory memory, string name, Instruction row, ulong address, ulong offset, bool is64)
    {
        var place = $"{row.Name} offset={offset} at {address}";
        var bytes = row.AccessBytes;
        var isInside = (UInt128)address + offset + (ulong)bytes <= Length;
        var function = guest.Instance.FindFunction(name)!;
        if (!isInside)
        {
            var trap = Assert.Throws<TrapException>(() => function.Call(Address(address, is64)));
            Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, trap.Code);
            Assert.True(IsFilled(memory, 1), $"{place} changed memory and trapped");
            return;
        }

        var results = function.Call(Address(address, is64));
        if (results.Length != 0) CheckLoaded(row, results[0], address + offset, place);
        else CheckStored(memory, row, address + offset, place);
    }

    // Vectors that are made of what was loaded: the suite looks at them.
    static void CheckLoaded(Instruction row, Value value, ulong at, string place)
    {
        if (row.Results[0] == ValueType.V128 && row.Opcode is not (Opcode.V128Load or Opcode.V128Load64Zero)) return;
        for (var i = 0; i < row.AccessBytes; i++)
            Assert.True(value.AsV128[i] == Pattern(at + (ulong)i, 1), $"{place}: byte {i}");
    }

    static void CheckStored(Memory memory, Instruction row, ulong at, string place)
    {
        var stored = memory.Span(at, (uint)row.AccessBytes);
        for (var i = 0; i < stored.Length; i++)
        {
            Assert.True(stored[i] == 0xA5, $"{place}: byte {i}");
            stored[i] = Pattern(at + (ulong)i, 1);
        }
        Assert.True(IsFilled(memory, 1), $"{place} wrote elsewhere");
    }

    static ulong[] Offsets(bool is64)
    {
        ulong[] small = [0, 7, Length - 16, Length - 1, Length, 1UL << 31, uint.MaxValue];
        return is64 ? [.. small, 1UL << 32, 1UL << 63, ulong.MaxValue - 15, ulong.MaxValue] : small;
    }

    static IEnumerable<ulong> Addresses(int bytes, ulong offset, bool is64)
    {
        var last = Length - (ulong)bytes - offset; // wraps where nothing is valid: an edge as well
        ulong[] all =
        [
            0, last, last + 1, Length - (ulong)bytes, Length, (ulong)-(long)offset, (ulong)-(long)offset - 1,
            1UL << 31, uint.MaxValue, 1UL << 32, (1UL << 32) + 1, 1UL << 63, long.MaxValue, ulong.MaxValue,
        ];
        return all.Where(address => is64 || address <= uint.MaxValue).Distinct();
    }

    static Value Address(ulong address, bool is64) => is64 ? Value.From((long)address) : Value.From((int)address);

    static byte Pattern(ulong at, int seed) => (byte)(at * 31 + (at >> 8) + (ulong)seed);

    static void Fill(Memory memory, int seed)
    {
        var bytes = memory.Span(0, (uint)memory.ByteLength);
        for (var i = 0; i < bytes.Length; i++) bytes[i] = Pattern((ulong)i, seed);
    }

    static bool IsFilled(Memory memory, int seed)
    {
        // The whole of it for each of thousands of accesses would take minutes: both ends.
        var bytes = memory.Span(0, (uint)memory.ByteLength);
        for (var i = 0; i < 64; i++)
        {
            var high = bytes.Length - 1 - i;
            if (bytes[i] != Pattern((ulong)i, seed) || bytes[high] != Pattern((ulong)high, seed)) return false;
        }
        return true;
    }

    // The other memory is larger and has the other kind of address: a mistaken one shows.
    static string Memories(int memory, bool is64, int pagesMin)
    {
        string[] memories =
        [
            $"""(memory (export "m") {(is64 ? "i64 " : "")}{pagesMin} 2)""",
            $"""(memory (export "other") {(is64 ? "" : "i64 ")}2)""",
        ];
        if (memory == 1) Array.Reverse(memories);
        return $"(module {memories[0]} {memories[1]}\n";
    }

    // The address comes as a local, as a computed value, or as a local that was looked at before.
    static string Text(int memory, bool is64, int pagesMin)
    {
        var text = new StringBuilder(Memories(memory, is64, pagesMin));
        var type = is64 ? "i64" : "i32";
        for (var i = 0; i < Accesses.Length; i++)
        {
            foreach (var (offset, index) in Offsets(is64).Select((offset, index) => (offset, index)))
            {
                var address = i % 3 == 1 ? $"({type}.add (local.get 0) ({type}.const 0))" : "(local.get 0)";
                var before = i % 3 == 2 ? $"(drop (i32.load8_u {memory} (local.get 0)))" : "";
                text.Append(Function($"a{i}o{index}", Accesses[i], memory, offset, is64, before, address));
            }
        }
        return text.Append(')').ToString();
    }

    static string Function(
        string name, Instruction row, int memory, ulong offset, bool is64, string before, string address)
    {
        var type = is64 ? "i64" : "i32";
        var result = row.Results.IsEmpty ? "" : $"(result {row.Results[0]})";
        var value = row.Parameters.Length < 2 ? "" : Constant(row.Parameters[1]);
        var lane = row.Immediate == ImmediateKind.MemoryAccessLane ? "0" : "";
        var access = string.Create(
            CultureInfo.InvariantCulture, $"({row.Name} {memory} offset={offset} {lane} {address} {value})");
        return $"(func (export \"{name}\") (param {type}) {result} {before} {access})\n";
    }

    static string Constant(ValueType type) => type.Kind switch
    {
        ValueKind.I32 => "(i32.const 0xa5a5a5a5)",
        ValueKind.I64 => "(i64.const 0xa5a5a5a5a5a5a5a5)",
        ValueKind.F32 => "(f32.reinterpret_i32 (i32.const 0xa5a5a5a5))",
        ValueKind.F64 => "(f64.reinterpret_i64 (i64.const 0xa5a5a5a5a5a5a5a5))",
        _ => "(v128.const i64x2 0xa5a5a5a5a5a5a5a5 0xa5a5a5a5a5a5a5a5)",
    };
}
