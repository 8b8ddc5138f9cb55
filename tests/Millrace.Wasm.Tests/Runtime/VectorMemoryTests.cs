using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Every load and store of vectors at the end of memory, in every way that an address comes about.</summary>
public sealed class VectorMemoryTests
{
    const int MemoryBytes = 65536;

    /// <summary>Memory declarations, the type of their addresses, and the number of the one that is meant.</summary>
    static readonly (string Declaration, string Address, int Number)[] Memories =
    [
        ("""(memory (export "memory") 1 1)""", "i32", 0),
        ("""(memory (export "memory") i64 1 1)""", "i64", 0),
        ("""(memory 2) (memory (export "memory") 1 1)""", "i32", 1),
    ];

    public static TheoryData<string, int> Forms
    {
        get
        {
            var forms = new TheoryData<string, int>();
            foreach (var row in Instructions.All)
            {
                for (var i = 0; row.IsMemoryAccess && row.Feature == WasmFeatures.Simd && i < Memories.Length; i++)
                    forms.Add(row.Name, i);
            }
            return forms;
        }
    }

    [Fact]
    public void The_table_holds_all_forms() => Assert.Equal(22 * Memories.Length, Forms.Count);

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_vector_access_reaches_the_last_byte_and_no_further(string name, int memory)
    {
        var row = Instructions.Find(name)!;
        var last = MemoryBytes - row.AccessBytes;
        var (declaration, type, number) = Memories[memory];
        using var guest = Guest.FromWat($"""
            (module
              {declaration}
              (func (export "local") (param {type}) {Access("(local.get 0)", 0)})
              (func (export "tree") (param {type}) {Access($"({type}.add (local.get 0) ({type}.const 1))", 0)})
              (func (export "offset") (param {type}) {Access("(local.get 0)", last)})
              (func (export "far") (param {type}) {Access("(local.get 0)", 0xFFFFFFFF)})
              (func (export "after") (param {type})
                (drop (i32.load8_u {number} (local.get 0))) {Access("(local.get 0)", 0)})
              (func (export "looped") (param {type})
                (loop $l
                  {Access("(local.get 0)", 0)}
                  (local.set 0 ({type}.add (local.get 0) ({type}.const 1)))
                  (br_if $l ({type}.le_u (local.get 0) ({type}.const {last})))))
              (func (export "inside") {Access($"({type}.const {last})", 0)})
              (func (export "outside") {Access($"({type}.const {last + 1})", 0)})
              (func (export "beyond") {Access($"({type}.const -1)", 0xFFFFFFFF)}))
            """);

        foreach (var (function, address) in ((string, long)[])
            [("local", last), ("tree", last - 1), ("offset", 0), ("after", last), ("looped", last - 40)])
        {
            guest.Call(function, Address(address));
        }
        guest.Call("inside");
        var before = Content(guest);

        foreach (var (function, address) in ((string, long)[])
            [
                ("local", last + 1), ("local", MemoryBytes), ("local", -1), ("local", int.MinValue),
                ("local", long.MinValue + MemoryBytes), ("local", uint.MaxValue), ("tree", last), ("tree", -2),
                ("offset", 1), ("offset", -1), ("offset", -last), ("far", 0), ("far", 1), ("far", -1),
                ("after", last + 1), ("looped", last + 1), ("looped", -1),
            ])
        {
            if (function == "after" && row.AccessBytes == 1) continue;
            Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps(function, Address(address)).Code);
        }
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("outside").Code);
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("beyond").Code);
        Assert.Equal(before, Content(guest));

        string Access(string address, long offset) => VectorMemoryTests.Access(row, number, address, offset);

        Value Address(long address) => type == "i64" ? Value.From(address) : Value.From((int)address);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_vector_access_traps_in_its_place(string name, int memory)
    {
        var row = Instructions.Find(name)!;
        var (declaration, type, number) = Memories[memory];
        using var guest = Guest.FromWat($"""
            (module
              {declaration}
              (global $g (export "g") (mut i32) (i32.const 0))
              (func (export "f")
                (global.set $g (i32.const 1))
                {Access(row, number, $"({type}.const {MemoryBytes})", 0)}
                (global.set $g (i32.const 2))))
            """);

        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("f").Code);

        Assert.Equal(1, guest.Instance.FindGlobal("g")!.Value.AsI32);
    }

    [Fact]
    public void A_load_sees_memory_as_it_was_in_its_place()
    {
        using var guest = Guest.FromWat("""
            (module
              (memory 1)
              (func (export "f") (result v128)
                (v128.load64_lane 1 (i32.const 8) (v128.load (i32.const 0)))
                (v128.store (i32.const 0) (v128.const i64x2 7 7))))
            """);

        Assert.Equal(Vector128<byte>.Zero, guest.Call("f")[0].AsV128);
        Assert.Equal(Vector128.Create(7L).AsByte(), guest.Call("f")[0].AsV128);
    }

    static byte[] Content(Guest guest) => guest.Instance.FindMemory("memory")!.Span(0, MemoryBytes).ToArray();

    static string Access(Instruction row, int memory, string address, long offset)
    {
        var lane = row.Immediate == ImmediateKind.MemoryAccessLane ? $" {16 / row.AccessBytes - 1}" : "";
        var vector = row.Parameters.Length == 2 ? " (v128.const i32x4 1 2 3 0x81828384)" : "";
        var access = $"({row.Name} {memory} offset={offset}{lane} {address}{vector})";
        return row.Results.IsEmpty ? access : $"(drop {access})";
    }
}
