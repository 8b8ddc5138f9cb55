using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Every load and store of vectors at the end of memory, in every way that an address comes about.</summary>
public sealed class VectorMemoryTests
{
    const int MemoryBytes = 65536;

    public static TheoryData<string> Forms =>
        [.. Instructions.All.ToArray()
            .Where(row => row.IsMemoryAccess && row.Feature == WasmFeatures.Simd).Select(row => row.Name)];

    [Fact]
    public void The_table_holds_all_forms() => Assert.Equal(22, Forms.Count);

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_vector_access_reaches_the_last_byte_and_no_further(string name)
    {
        var row = Instructions.Find(name)!;
        var last = MemoryBytes - row.AccessBytes;
        using var guest = Guest.FromWat($"""
            (module
              (memory (export "memory") 1 1)
              (func (export "local") (param i32) {Access(row, "(local.get 0)", 0)})
              (func (export "tree") (param i32) {Access(row, "(i32.add (local.get 0) (i32.const 1))", 0)})
              (func (export "offset") (param i32) {Access(row, "(local.get 0)", last)})
              (func (export "far") (param i32) {Access(row, "(local.get 0)", 0xFFFFFFFF)})
              (func (export "after") (param i32)
                (drop (i32.load8_u (local.get 0))) {Access(row, "(local.get 0)", 0)})
              (func (export "looped") (param i32)
                (loop $l
                  {Access(row, "(local.get 0)", 0)}
                  (br_if $l (i32.le_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const {last})))))
              (func (export "inside") {Access(row, $"(i32.const {last})", 0)})
              (func (export "outside") {Access(row, $"(i32.const {last + 1})", 0)})
              (func (export "beyond") {Access(row, "(i32.const -1)", 0xFFFFFFFF)}))
            """);

        foreach (var (function, address) in ((string, int)[])
            [("local", last), ("tree", last - 1), ("offset", 0), ("after", last), ("looped", last - 40)])
        {
            guest.Call(function, Value.From(address));
        }
        guest.Call("inside");
        var before = Content(guest);

        foreach (var (function, address) in ((string, int)[])
            [
                ("local", last + 1), ("local", MemoryBytes), ("local", -1), ("local", int.MinValue),
                ("tree", last), ("tree", MemoryBytes), ("tree", -2), ("offset", 1), ("offset", -1),
                ("far", 0), ("far", 1), ("far", -1), ("after", last + 1), ("looped", last + 1), ("looped", -1),
            ])
        {
            if (function == "after" && row.AccessBytes == 1) continue;
            Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps(function, Value.From(address)).Code);
        }
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("outside").Code);
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("beyond").Code);
        Assert.Equal(before, Content(guest));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_vector_access_traps_in_its_place(string name)
    {
        var row = Instructions.Find(name)!;
        using var guest = Guest.FromWat($"""
            (module
              (memory 1 1)
              (global $g (export "g") (mut i32) (i32.const 0))
              (func (export "f") (param i32)
                (global.set $g (i32.const 1))
                {Access(row, "(local.get 0)", 0)}
                (global.set $g (i32.const 2))))
            """);

        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("f", Value.From(MemoryBytes)).Code);

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

    static string Access(Instruction row, string address, long offset)
    {
        var lane = row.Immediate == ImmediateKind.MemoryAccessLane ? $" {16 / row.AccessBytes - 1}" : "";
        var vector = row.Parameters.Length == 2 ? " (v128.const i32x4 1 2 3 0x81828384)" : "";
        var access = $"({row.Name} offset={offset}{lane} {address}{vector})";
        return row.Results.IsEmpty ? access : $"(drop {access})";
    }
}
