namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Table instructions over more elements than they take at once.</summary>
public sealed class BulkTableTests
{
    const int Count = 200_000;

    static readonly string Wat = $$"""
        (module
          (import "host" "stop" (func $stop))
          (table $t {{Count}} i31ref)
          (table $u {{Count}} i31ref)
          (func (export "number") (local i32)
            (loop $l
              (table.set $t (local.get 0) (ref.i31 (local.get 0)))
              (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const {{Count}})))))
          (func (export "within") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
          (func (export "between") (param i32 i32 i32) (table.copy $u $t (local.get 0) (local.get 1) (local.get 2)))
          (func (export "at") (param i32) (result i32) (i31.get_u (table.get $t (local.get 0))))
          (func (export "other") (param i32) (result i32) (i31.get_u (table.get $u (local.get 0))))
          (func (export "fill, stopped") (call $stop)
            (table.fill $t (i32.const 0) (ref.i31 (i32.const 7)) (i32.const {{Count}})))
          (func (export "copy up, stopped") (call $stop)
            (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const {{Count - 1}})))
          (func (export "copy down, stopped") (call $stop)
            (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const {{Count - 1}}))))
        """;

    static Guest Numbered()
    {
        var guest = Guest.FromWat(Wat, define: linker => linker.Define(
            "host", "stop", FunctionType.Of([], []), (caller, _, _) => caller.Instance.Store.Interrupt()));
        guest.Call("number");
        return guest;
    }

    [Theory]
    [InlineData("within", "at", 0, 7, Count - 7)]
    [InlineData("within", "at", 7, 0, Count - 7)]
    [InlineData("within", "at", 70_000, 0, 130_000)]
    [InlineData("within", "at", 0, 70_000, 130_000)]
    [InlineData("within", "at", 3, 3, 150_000)]
    [InlineData("between", "other", 5, 9, Count - 9)]
    [InlineData("between", "other", 9, 5, Count - 9)]
    public void A_copy_that_overlaps_gives_what_was_there_before(string copy, string read, int target, int source, int count)
    {
        using var guest = Numbered();

        guest.Call(copy, Value.From(target), Value.From(source), Value.From(count));

        foreach (var i in (int[])[0, 1, 65_535, 65_536, 65_537, count / 2, count - 1])
            Assert.Equal(source + i, guest.CallI32(read, Value.From(target + i)));
    }

    [Theory]
    [InlineData("fill, stopped", Count - 1)]
    [InlineData("copy up, stopped", Count - 1)]
    [InlineData("copy down, stopped", 1)]
    public void An_interrupt_does_not_wait_for_all_elements(string name, int lastToChange)
    {
        using var guest = Numbered();

        Assert.Equal(TrapCode.Interrupted, guest.Traps(name).Code);

        Assert.Equal(lastToChange, guest.CallI32("at", Value.From(lastToChange)));
    }
}
