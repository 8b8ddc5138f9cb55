using System.Runtime.InteropServices;

namespace Millrace.Wasm.Tests.Compilation;

/// <summary><c>select</c> in a loop, with each kind of condition, and arms of either size.</summary>
public sealed class SelectionTests
{
    static readonly int[] Numbers = [0, 1, 2, -1, -2, 3, 256, int.MinValue, int.MaxValue];

    [Theory]
    [InlineData("(local.get $x)")]
    [InlineData("(i32.lt_s (local.get $x) (i32.const 0))")]
    [InlineData("(i32.lt_s (local.get $x) (i32.const 2))")]
    [InlineData("(i32.ge_s (local.get $x) (i32.const 0))")]
    [InlineData("(i32.eqz (local.get $x))")]
    [InlineData("(i32.eqz (i32.eqz (local.get $x)))")]
    [InlineData("(i32.and (local.get $x) (i32.const 1))")]
    [InlineData("(i32.and (local.get $x) (i32.const 2))")]
    [InlineData("(i32.load (local.get $at))")]
    [InlineData("(i64.lt_s (i64.extend_i32_s (local.get $x)) (i64.const 0))")]
    [InlineData("(i64.eqz (i64.extend_i32_s (local.get $x)))")]
    [InlineData("(f64.lt (f64.convert_i32_s (local.get $x)) (f64.const 0))")]
    [InlineData("(i32.const 0)")]
    [InlineData("(i32.const -2147483648)")]
    [InlineData("(call $same (local.get $x))")]
    public void It_takes_the_first_where_the_condition_is_not_zero(string condition)
    {
        foreach (var (type, first, second) in Arms())
        {
            using var guest = Guest.FromWat($$"""
                (module
                  (memory (export "memory") 1)
                  (func $same (param i32) (result i32) (local.get 0))
                  (func (export "f") (param $count i32) (result {{type}}) (local $at i32) (local $x i32) (local $sum {{type}})
                    (loop $next
                      (local.set $x (i32.load (local.get $at)))
                      (local.set $sum ({{type}}.add
                        ({{type}}.mul (local.get $sum) ({{type}}.const 3))
                        (select {{first}} {{second}} {{condition}})))
                      (local.set $at (i32.add (local.get $at) (i32.const 4)))
                      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
                    (local.get $sum))
                  (func (export "g") (param $count i32) (result {{type}}) (local $at i32) (local $x i32) (local $sum {{type}})
                    (loop $next
                      (local.set $x (i32.load (local.get $at)))
                      (local.set $sum ({{type}}.add
                        ({{type}}.mul (local.get $sum) ({{type}}.const 3))
                        (if (result {{type}}) {{condition}} (then {{first}}) (else {{second}}))))
                      (local.set $at (i32.add (local.get $at) (i32.const 4)))
                      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
                    (local.get $sum)))
                """);
            var bytes = MemoryMarshal.AsBytes(Numbers.AsSpan());
            bytes.CopyTo(guest.Instance.FindMemory("memory")!.Span(0, (uint)bytes.Length));

            var (chosen, selected) = (guest.Call("g", Value.From(Numbers.Length))[0], guest.Call("f", Value.From(Numbers.Length))[0]);
            Assert.Equal(chosen, selected);
        }
    }

    static IEnumerable<(string Type, string First, string Second)> Arms() =>
    [
        ("i32", "(local.get $at)", "(i32.const 17)"),
        ("i32", "(i32.const 5)", "(i32.const -9)"),
        ("i32", "(local.get $x)", "(i32.add (local.get $x) (i32.const 1))"),
        ("i32", "(i32.mul (local.get $x) (local.get $at))", "(i32.add (local.get $x) (local.get $at))"),
        ("i64", "(local.get $sum)", "(i64.const -1)"),
        ("i64", "(i64.const 1)", "(i64.const 0x7fffffff00000000)"),
        ("i64", "(i64.mul (local.get $sum) (i64.const 3))", "(i64.add (local.get $sum) (i64.const 1))"),
        ("f64", "(f64.const 1.5)", "(local.get $sum)"),
    ];
}
