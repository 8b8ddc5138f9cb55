using System.Diagnostics;
using System.Text;

namespace Millrace.Wasm.Tests.Text;

public sealed class WatFuzzTests
{
    const string Seed =
        """
        (module $m (@name "n") (@custom "c" (after func) "x")
          (type $t (func (param i32) (result i32))) (rec (type $s (sub (struct (field $f (mut i8)))))
            (type $a (array (ref null $s))))
          (import "a" "b" (func $i (type $t))) (import "a" "m" (memory 1 2))
          (table $tab 2 funcref) (table (ref $t) (elem $g)) (memory $mem i64 1) (memory (data "a\00\u{41}"))
          (global $glo (mut f32) (f32.const -0x1.8p-3)) (tag $tag (param i64)) (export "e" (func $g)) (start $n)
          (elem (table $tab) (offset (i32.const 0)) func $g) (elem $d declare funcref (item ref.func $g))
          (data $dat (memory $mem) (i64.const 0) "bytes")
          (func $n (local $x i32) (local v128)
            (block $l (result i32) (if $k (i32.const 1) (then (br $l (i32.const 2))) (else)) (i32.const 3)) drop
            (try_table (catch $tag 0) (catch_all_ref 0) (throw $tag (i64.const 0x7f)))
            (v128.store offset=16 align=8 (i32.const 0) (v128.const i32x4 1 2 3 4))
            (drop (select (result f64) (f64.const nan:0x123) (f64.const inf) (local.get $x)))
            (memory.copy $mem $mem (i64.const 0) (i64.const 1) (i64.const 2))
            (call_indirect $tab (type $t) (i32.const 0) (i32.const 1)) drop
            (br_on_cast 0 anyref (ref $s) (struct.new_default $s)) drop
            loop $q br_table 0 $q 0 (i32.const 1) end)
          (func $g (export "g") (type $t) (i32x4.extract_lane 3 (v128.load8_lane 0 offset=1 15
            (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i64x2 1 2)
            (v128.const f64x2 1e3 -nan))))))
        """;

    static readonly string[] Pieces =
    [
        "(", ")", "\"", "$", "(;", ";)", ";;", "(@a ", "\\", "\n", "\0", "\u00e4", "\ud800", "0x", "-", "_", "i32.const",
        "(func", "(type $t", "(param $x", "end", "else", "(then", "1_000", "0xffffffffffffffffff", "1e999", "align=0",
        "offset=99999999999999999999", "$\"\\ff\"", "(rec", "(ref null 99999999)", "v128.const i8x16", "(export \"\"",
    ];

    [Fact]
    public void Mutated_text_is_read_or_malformed_and_nothing_else()
    {
        var random = new Random(42);
        var clock = Stopwatch.StartNew();
        var rounds = 0;

        for (; rounds < 20_000 && clock.Elapsed < TimeSpan.FromSeconds(3); rounds++)
        {
            var text = Mutate(random);
            try
            {
                WatText.ToBinary(text);
            }
            catch (MalformedException)
            {
            }
        }

        Assert.True(rounds > 100, $"only {rounds} rounds in {clock.Elapsed}");
    }

    [Fact]
    public void Random_bytes_are_malformed_and_nothing_else()
    {
        var random = new Random(43);

        for (var round = 0; round < 2_000; round++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            Assert.Throws<MalformedException>(() => WatText.ToBinary(bytes));
        }
    }

    static string Mutate(Random random)
    {
        var text = new StringBuilder(Seed);
        for (var change = random.Next(1, 6); change > 0; change--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(4))
            {
                case 0:
                    text.Remove(at, Math.Min(random.Next(1, 12), text.Length - at));
                    break;
                case 1:
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 2:
                    text[at] = (char)random.Next(0, 128);
                    break;
                default:
                    var from = random.Next(Seed.Length - 40);
                    text.Insert(at, Seed.AsSpan(from, random.Next(1, 40)));
                    break;
            }
        }

        return text.ToString();
    }

    [Fact]
    public void The_unchanged_seed_is_a_module() => Assert.NotEmpty(WatText.ToBinary(Seed));
}
