namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Instructions that fill or copy as much as a guest likes.</summary>
public sealed class LongRunTests
{
    const int Elements = 3 << 20;

    // More than one part, so that there is a border between parts at which to stop.
    [Theory]
    [InlineData("(drop (array.new $longs (i64.const 1) (i32.const 3145728)))")]
    [InlineData("(drop (array.new $any (ref.i31 (i32.const 1)) (i32.const 3145728)))")]
    [InlineData("(array.fill $longs (global.get $l) (i32.const 0) (i64.const 1) (i32.const 3145728))")]
    [InlineData("(array.fill $any (global.get $a) (i32.const 0) (ref.null any) (i32.const 3145728))")]
    [InlineData("""
        (array.copy $longs $longs (global.get $l) (i32.const 1) (global.get $l) (i32.const 0) (i32.const 3145727))
        """)]
    [InlineData("(array.copy $any $any (global.get $a) (i32.const 0) (global.get $a) (i32.const 1) (i32.const 3145727))")]
    [InlineData("(array.init_data $bytes $data (global.get $b) (i32.const 0) (i32.const 0) (i32.const 3145728))")]
    [InlineData("(drop (array.new_data $bytes $data (i32.const 0) (i32.const 3145728)))")]
    [InlineData("(table.fill 0 (i32.const 0) (ref.null func) (i32.const 3145728))")]
    [InlineData("(table.copy (i32.const 1) (i32.const 0) (i32.const 3145727))")]
    [InlineData("(memory.fill (i32.const 0) (i32.const 1) (i32.const 3145728))")]
    [InlineData("(memory.copy (i32.const 1) (i32.const 0) (i32.const 3145727))")]
    public void An_interrupt_does_not_wait_for_the_end_of_one_instruction(string instruction)
    {
        Guest? guest = null;
        using var made = guest = Guest.FromWat($$"""
            (module
              (import "" "stop" (func $stop))
              (type $longs (array (mut i64)))
              (type $any (array (mut anyref)))
              (type $bytes (array (mut i8)))
              (memory 64)
              (table 3145728 funcref)
              (data $data "{{new string('x', Elements)}}")
              (global $l (mut (ref null $longs)) (ref.null $longs))
              (global $a (mut (ref null $any)) (ref.null $any))
              (global $b (mut (ref null $bytes)) (ref.null $bytes))
              (func (export "make")
                (global.set $l (array.new_default $longs (i32.const 3145728)))
                (global.set $a (array.new_default $any (i32.const 3145728)))
                (global.set $b (array.new_default $bytes (i32.const 3145728))))
              (func (export "f") {{instruction}})
              (func (export "stopped") (call $stop) {{instruction}}))
            """, define: linker => linker.Define("", "stop", new FunctionType([], []), (_, _, _) => guest!.Store.Interrupt()));

        guest.Call("make");
        guest.Call("f");

        Assert.Equal(TrapCode.Interrupted, guest.Traps("stopped").Code);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(300_000, 0)]
    [InlineData(0, 300_000)]
    public void Ranges_that_overlap_are_copied_as_if_read_first(int from, int to)
    {
        using var guest = Guest.FromWat("""
            (module
              (type $longs (array (mut i64)))
              (func (export "f") (param $from i32) (param $to i32) (param $at i32) (result i64)
                (local $array (ref $longs)) (local $i i32)
                (local.set $array (array.new_default $longs (i32.const 700000)))
                (loop $next
                  (array.set $longs (local.get $array) (local.get $i) (i64.extend_i32_u (local.get $i)))
                  (br_if $next
                    (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 700000))))
                (array.copy $longs $longs
                  (local.get $array) (local.get $to) (local.get $array) (local.get $from) (i32.const 399999))
                (array.get $longs (local.get $array) (local.get $at))))
            """);

        foreach (var at in (int[])[0, 1, 131_071, 131_072, 262_144, 399_998])
            Assert.Equal(from + at, guest.Call("f", Value.From(from), Value.From(to), Value.From(to + at))[0].AsI64);
    }
}
