namespace Millrace.Wasm.Tests.Compilation;

/// <summary>A check that is left out because an earlier one is enough, and none that is needed.</summary>
public sealed class LeftOutCheckTests
{
    // $p is inside memory, $q outside, $e has four bytes behind it; $c is 1.
    [Theory]
    [InlineData("(drop (i32.load (local.get $p))) (if (local.get $c) (then (local.set $p (local.get $q)))) (i32.load (local.get $p))")]
    [InlineData("""
        (drop (i32.load (local.get $p)))
        (if (i32.eqz (local.get $c)) (then) (else (local.set $p (local.get $q)))) (i32.load (local.get $p))
        """)]
    [InlineData("""
        (drop (i32.load (local.get $e)))
        (if (i32.eqz (local.get $c)) (then (drop (i64.load (local.get $e))))) (i32.load offset=4 (local.get $e))
        """)]
    [InlineData("""
        (if (i32.eqz (local.get $c)) (then (drop (i32.load (local.get $q)))) (else (i32.store (local.get $q) (i32.const 1))))
        (i32.load (local.get $q))
        """)]
    [InlineData("(block (br_if 0 (local.get $c)) (drop (i32.load (local.get $q)))) (i32.load (local.get $q))")]
    [InlineData("(block (block (br_table 0 1 (local.get $c))) (drop (i32.load (local.get $q)))) (i32.load (local.get $q))")]
    [InlineData("""
        (drop (i32.load (local.get $p)))
        (block (local.set $p (local.get $q)) (br_if 0 (local.get $c)) (local.set $p (i32.const 0))) (i32.load (local.get $p))
        """)]
    [InlineData("""
        (block (drop (i32.load (local.get $p))) (br_if 0 (i32.eqz (local.get $c)))
          (local.set $p (local.get $q)) (if (local.get $c) (then (br 1))) (local.set $p (i32.const 0)))
        (i32.load (local.get $p))
        """)]
    [InlineData("""
        (drop (i32.load (local.get $p)))
        (loop $next (i32.store (local.get $p) (i32.const 1)) (local.set $p (local.get $q)) (br_if $next (local.get $c))) (i32.const 0)
        """)]
    [InlineData("""
        (drop (i32.load (local.get $p)))
        (loop $next
          (if (local.get $c) (then (local.set $c (i32.const 0)) (local.set $p (local.get $q)) (br $next)))
          (drop (i32.load (local.get $p))))
        (i32.const 0)
        """)]
    [InlineData("""
        (drop (i32.load (local.get $p)))
        (block (try_table (catch_all 0) (local.set $p (local.get $q)) (throw $t)) (local.set $p (i32.const 0)))
        (i32.load (local.get $p))
        """)]
    [InlineData("""
        (drop (i32.load (local.get $p)))
        (block (drop (i32.load offset=65520 (local.get $p))) (local.set $p (i32.const 8)) (br_if 0 (local.get $c)))
        (i32.load offset=65525 (local.get $p))
        """)]
    public void What_was_assigned_or_not_checked_on_every_way_is_checked_again(string body)
    {
        using var guest = Guest.FromWat($$"""
            (module
              (memory 1)
              (tag $t)
              (func (export "f") (param $p i32) (param $q i32) (param $e i32) (param $c i32) (result i32) {{body}}))
            """);

        var trap = guest.Traps("f", Value.From(0), Value.From(65533), Value.From(65532), Value.From(1));
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, trap.Code);
    }

    [Fact]
    public void Of_two_memories_each_has_checks_of_its_own()
    {
        using var guest = Guest.FromWat("""
            (module
              (memory $large 2)
              (memory $small 1)
              (func (export "f") (param $p i32) (result i32)
                (drop (i32.load $large (local.get $p)))
                (block (br_if 0 (local.get $p)))
                (i32.load $small (local.get $p))))
            """);

        Assert.Equal(0, guest.CallI32("f", Value.From(0)));
        Assert.Equal(TrapCode.OutOfBoundsMemoryAccess, guest.Traps("f", Value.From(65536)).Code);
    }
}
