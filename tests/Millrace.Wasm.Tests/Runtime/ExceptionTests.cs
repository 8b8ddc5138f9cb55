namespace Millrace.Wasm.Tests.Runtime;

public sealed class ExceptionTests
{
    static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("unreachable", TrapCode.Unreachable)]
    [InlineData("(drop (i32.load (i32.const 65533)))", TrapCode.OutOfBoundsMemoryAccess)]
    [InlineData("(drop (i32.div_s (i32.const 1) (i32.const 0)))", TrapCode.IntegerDivideByZero)]
    [InlineData("(throw_ref (ref.null exn))", TrapCode.NullReference)]
    [InlineData("(drop (i32.add (i32.const 1) (call $div (i32.const 1) (i32.const 0))))", TrapCode.IntegerDivideByZero)]
    [InlineData("(call $f)", TrapCode.CallStackExhausted)]
    [InlineData("(call $trap)", TrapCode.HostFault)]
    public void No_guest_catches_a_trap(string body, TrapCode code)
    {
        using var guest = Guest.FromWat($$"""
            (module
              (import "" "trap" (func $trap))
              (memory 1) (tag $e)
              (func $div (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))
              (func $f (export "f")
                (block $h (result exnref)
                  (block $g
                    (try_table (catch $e $g) (catch_all_ref $h) {{body}}))
                  (ref.null exn))
                (drop)))
            """, define: linker => linker.Define("", "trap", FunctionType.Of([], []),
                (_, _, _) => throw new TrapException(TrapCode.HostFault)));

        Assert.Equal(code, guest.Traps("f").Code);
    }

    [Theory]
    [InlineData("(loop $l (block $h (try_table (catch_all $h) (throw $e))) (br $l))")]
    [InlineData("(block $h (try_table (catch_all $h) (loop $l (br $l))))")]
    [InlineData("(loop $l (try_table (catch_all $l) (call $thrower)))")]
    public async Task No_guest_catches_an_interrupt(string body)
    {
        using var running = new ManualResetEventSlim();
        using var guest = Guest.FromWat($"""
            (module
              (import "" "ready" (func $ready)) (tag $e)
              (func $thrower (throw $e))
              (func (export "f") (call $ready) {body}))
            """, define: linker => linker.Define("", "ready", FunctionType.Of([], []), (_, _, _) => running.Set()));
        var trap = Task.Run(() => guest.Traps("f"));

        Assert.True(running.Wait(TestTimeout));
        guest.Store.Interrupt();

        Assert.Equal(TrapCode.Interrupted, (await trap.WaitAsync(TestTimeout)).Code);
    }

    // RyuJIT crashes on what these would be otherwise, and the process with it: see FunctionBody.EnterRegion.
    [Theory]
    [InlineData("(br_if $next (i32.const 0))", "(catch_all $out)")]
    [InlineData("(br_if $next (global.get $g))", "(catch_all $out)")]
    [InlineData("(br_if $next (i32.const 0))", "(catch $other $out)")]
    public void Protected_blocks_may_begin_at_one_place_behind_a_jump_that_changes_nothing(string jump, string clause)
    {
        using var guest = Guest.FromWat($"""
            (module
              (tag $e) (tag $other) (global $g (mut i32) (i32.const 1))
              (func $throw (param i32) (if (local.get 0) (then (throw $e))) (call $throw (i32.const 1)))
              (func (export "f") (result i32)
                (block $next {jump})
                (block $out
                  (try_table {clause}
                    (block $in (try_table (catch_all $in) (try_table (catch $other $in) (call $throw (i32.const 0))))
                      (return (i32.const 1))))
                  (return (i32.const 2)))
                (i32.const 3)))
            """);

        Assert.Equal(2, guest.CallI32("f"));
    }

    [Fact]
    public void No_guest_catches_what_else_a_host_function_throws()
    {
        using var guest = Guest.FromWat("""
            (module (import "" "f" (func $f)) (func (export "f") (block $h (try_table (catch_all $h) (call $f)))))
            """, define: linker => linker.Define("", "f", FunctionType.Of([], []),
                (_, _, _) => throw new FormatException("mine")));

        Assert.Throws<FormatException>(() => guest.Call("f"));
    }

    [Fact]
    public void What_nobody_catches_leaves_with_tag_values_and_backtrace()
    {
        using var guest = Guest.FromWat("""
            (module
              (tag $e (export "e") (param i32 f64 externref)) (tag $other)
              (func $thrower (param externref) (throw $e (i32.const 5) (f64.const 2.5) (local.get 0)))
              (func $f (export "f") (param externref)
                (block $h (try_table (catch $other $h) (call $thrower (local.get 0)))))
              (func (export "good") (result i32) (i32.const 7)))
            """);
        var mark = new object();

        var thrown = Assert.Throws<GuestException>(() => guest.Call("f", Value.FromReference(mark)));

        Assert.Same(guest.Instance.FindTag("e"), thrown.Tag);
        Assert.Equal((5, 2.5), (thrown.Values[0].AsI32, thrown.Values[1].AsF64));
        Assert.Same(mark, thrown.Values[2].AsReference);
        Assert.Equal(3, thrown.Values.Length);
        Assert.Equal("f", thrown.Backtrace[^1].Name);
        Assert.Equal(7, guest.CallI32("good"));
    }

    [Fact]
    public void A_host_function_throws_what_its_caller_catches()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var tag = new Tag(store, FunctionType.Of([ValueType.I32, ValueType.I64], []));
        var linker = new Linker(engine);
        linker.Define("", "e", tag);
        linker.Define("", "f", FunctionType.Of([], []),
            (_, _, _) => throw new GuestException(tag, Value.From(3), Value.From(4L)));
        var instance = linker.Instantiate(store, Module.Compile(engine, WatText.ToBinary("""
            (module
              (import "" "e" (tag $e (param i32 i64))) (import "" "f" (func $f))
              (func (export "f") (result i32 i64) (try_table (catch $e 0) (call $f)) (unreachable)))
            """)));

        var results = instance.FindFunction("f")!.Call();

        Assert.Equal((3, 4), (results[0].AsI32, results[1].AsI64));
        Assert.Throws<ArgumentException>(() => new GuestException(tag, Value.From(3)));
    }

    [Fact]
    public void An_exception_unwinds_host_functions_on_its_way()
    {
        var unwound = 0;
        Guest? guest = null;
        using var made = guest = Guest.FromWat("""
            (module
              (import "" "back" (func $back)) (tag $e (param i32)) (memory 1)
              (func (export "inner")
                (drop (memory.grow (i32.const 1))) (throw $e (i32.const 9)))
              (func (export "f") (result i32 i32)
                (block $h (result i32) (try_table (catch $e $h) (call $back)) (i32.const 0))
                (memory.size)))
            """, define: linker => linker.Define("", "back", FunctionType.Of([], []), (_, _, _) =>
            {
                try
                {
                    guest!.Call("inner");
                }
                finally
                {
                    unwound++;
                }
            }));

        for (var i = 1; i <= 3; i++)
        {
            var results = guest.Call("f");
            Assert.Equal((9, 1 + i, i), (results[0].AsI32, results[1].AsI32, unwound));
        }
    }

    [Fact]
    public void Equal_tags_of_two_instances_are_two()
    {
        const string Text = """
            (module
              (tag $e (export "e"))
              (func (export "throw") (throw $e))
              (table (export "t") 1 funcref))
            """;
        using var engine = new Engine();
        using var store = new Store(engine);
        var linker = new Linker(engine);
        var module = Module.Compile(engine, WatText.ToBinary(Text));
        linker.Define("a", linker.Instantiate(store, module));
        linker.Define("b", linker.Instantiate(store, module));
        var catcher = linker.Instantiate(store, Module.Compile(engine, WatText.ToBinary("""
            (module
              (import "a" "e" (tag $a)) (import "b" "e" (tag $b)) (import "b" "throw" (func $throw))
              (func (export "f") (result i32)
                (block $ha (block $hb
                  (try_table (catch $a $ha) (catch $b $hb) (call $throw)) (unreachable))
                  (return (i32.const 2)))
                (i32.const 1)))
            """)));

        Assert.Equal(2, catcher.FindFunction("f")!.Call()[0].AsI32);
    }

    [Fact]
    public void An_exception_of_another_store_passes_through()
    {
        using var other = Guest.FromWat("""(module (tag $e) (func (export "f") (throw $e)))""");
        using var guest = Guest.FromWat("""
            (module (import "" "f" (func $f)) (func (export "f") (block $h (try_table (catch_all $h) (call $f)))))
            """, define: linker => linker.Define("", "f", FunctionType.Of([], []), (_, _, _) => other.Call("f")));

        Assert.Throws<GuestException>(() => guest.Call("f"));
    }

    [Fact]
    public void An_exnref_goes_out_and_comes_back_but_not_elsewhere()
    {
        const string Text = """
            (module
              (tag $e (param i64))
              (func (export "make") (result exnref)
                (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e (i64.const 11))) (unreachable)))
              (func (export "open") (param exnref) (result i64)
                (try_table (catch $e 0) (throw_ref (local.get 0))) (unreachable))
              (func (export "extern") (param externref)))
            """;
        using var guest = Guest.FromWat(Text);
        using var other = Guest.FromWat(Text);

        var reference = guest.Call("make")[0];

        Assert.Equal(11, guest.Call("open", reference)[0].AsI64);
        Assert.Equal(11, guest.Call("open", reference)[0].AsI64);
        Assert.Throws<ArgumentException>(() => other.Call("open", reference));
        Assert.Throws<ArgumentException>(() => guest.Call("open", Value.FromReference(new object())));
        Assert.Throws<ArgumentException>(() => guest.Call("extern", reference));
    }

    // Each leaves a protected block, or two, in its own way.
    [Theory]
    [InlineData("(block $b (try_table (catch_all $b) (br $b))) (i32.const 1) (i32.const 2)")]
    [InlineData("(try_table (catch_all $x) (return (i32.const 1) (i32.const 2))) (unreachable)")]
    [InlineData("(try_table (catch_all $x) (br $f (i32.const 1) (i32.const 2))) (unreachable)")]
    [InlineData("(try_table (catch_all $x) (br_if $f (i32.const 1) (i32.const 2) (local.get 0)) (drop) (drop)) (unreachable)")]
    [InlineData("(try_table (catch_all $x) (try_table (catch $n $x) (br_table $f $f (i32.const 1) (i32.const 2) (local.get 0)))) (unreachable)")]
    [InlineData("(block $b (try_table (catch_all $b) (try_table (catch $n $b) (br_table $b $b (local.get 0))))) (i32.const 1) (i32.const 2)")]
    [InlineData("(block $b (try_table (catch_all $b) (br_if $b (local.get 0)) (unreachable))) (i32.const 1) (i32.const 2)")]
    [InlineData("(try_table (catch_all $x) (try_table (catch $n $x) (return_call $pair (i32.const 1) (local.get 0)))) (unreachable)")]
    [InlineData("(try_table (catch_all $x) (return_call_indirect (param i32 i32) (result i32 i32) (i32.const 1) (local.get 0) (i32.const 0))) (unreachable)")]
    [InlineData("(try_table (result i32 i32) (catch_all $x) (i32.const 1) (i32.const 2))")]
    [InlineData("(i32.const 1) (try_table (param i32) (result i32 i32) (catch_all $x) (i32.const 2))")]
    [InlineData("(i32.const 1) (block $b (result i32) (try_table (catch $e $b) (throw $e (i32.const 2))) (unreachable))")]
    [InlineData("(block $b (result i32 exnref) (try_table (catch_ref $e $b) (drop (call $throws))) (unreachable)) (drop) (local.set 0) (i32.const 1) (local.get 0)")]
    [InlineData("(i32.const 1) (loop $l (result i32) (try_table (catch_all $l) (if (local.get 0) (then (local.set 0 (i32.const 0)) (drop (call $throws))))) (i32.const 2))")]
    [InlineData("(try_table (catch $two $f) (throw $two (i32.const 1) (i32.const 2))) (unreachable)")]
    [InlineData("(try_table (catch $two $f) (block $b (try_table (catch $e $x2) (throw $two (i32.const 1) (i32.const 2))))) (unreachable)")]
    [InlineData("(block $b (result exnref) (try_table (catch_all_ref $b) (throw $two (i32.const 1) (i32.const 2))) (unreachable)) (local.set 1) (try_table (catch $two $f) (throw_ref (local.get 1))) (unreachable)")]
    public void Control_leaves_a_protected_block_with_its_values(string body)
    {
        using var guest = Guest.FromWat($"""
            (module
              (tag $n) (tag $e (param i32)) (tag $two (param i32 i32))
              (table funcref (elem $pair))
              (func $throws (result i32) (throw $e (i32.const 2)))
              (func $pair (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
              (func (export "f") (param i32) (result i32 i32) (local exnref)
                (block $f (result i32 i32)
                  (block $x2 (result i32)
                    (block $x {body} (return)) (unreachable))
                  (unreachable))))
            """);

        var results = guest.Call("f", Value.From(2));

        Assert.Equal((1, 2), (results[0].AsI32, results[1].AsI32));
    }

    [Fact]
    public void A_tail_call_is_out_of_reach_of_the_clauses_around_it()
    {
        using var guest = Guest.FromWat("""
            (module
              (tag $e)
              (func $throws (throw $e))
              (func (export "f") (block $h (try_table (catch_all $h) (return_call $throws)))))
            """);

        Assert.Throws<GuestException>(() => guest.Call("f"));
    }

    [Fact]
    public void Locals_globals_and_memory_are_as_the_throw_left_them()
    {
        using var guest = Guest.FromWat("""
            (module
              (tag $e) (memory 1) (global $g (mut i64) (i64.const 0))
              (func $work (param i32)
                (i32.store (i32.const 8) (local.get 0))
                (global.set $g (i64.const 6))
                (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $e))))
              (func (export "f") (result i32 i64 i32) (local $i i32)
                (block $h
                  (try_table (catch_all $h)
                    (loop $l
                      (local.set $i (i32.add (local.get $i) (i32.const 1)))
                      (call $work (local.get $i))
                      (br $l))))
                (local.get $i) (global.get $g) (i32.load (i32.const 8))))
            """);

        var results = guest.Call("f");

        Assert.Equal((3, 6, 3), (results[0].AsI32, results[1].AsI64, results[2].AsI32));
    }

    [Fact]
    public void Operands_below_the_block_are_kept()
    {
        using var guest = Guest.FromWat("""
            (module
              (tag $e (param i32))
              (func $throws (param i32) (result i32) (throw $e (local.get 0)))
              (func (export "f") (param i32) (result i32)
                (i32.sub
                  (i32.mul (local.get 0) (local.tee 0 (i32.add (local.get 0) (i32.const 1))))
                  (block $h (result i32)
                    (i32.add (i32.const 1000)
                      (try_table (result i32) (catch $e $h) (local.set 0 (i32.const 5)) (call $throws (local.get 0))))))))
            """);

        Assert.Equal(10 * 11 - 5, guest.CallI32("f", Value.From(10)));
    }

    [Fact]
    public void Every_type_of_value_arrives_bit_by_bit()
    {
        const int SignallingF32 = 0x7FA00001;
        const long SignallingF64 = 0x7FF4000000000001;
        using var guest = Guest.FromWat("""
            (module
              (tag $e (param i32 i64 f32 f64 externref funcref))
              (func $throws (param i32 i64 f32 f64 externref)
                (throw $e (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (ref.func $f)))
              (func $f (export "f") (param i32 i64 f32 f64 externref)
                (result i32 i64 f32 f64 externref funcref)
                (try_table (catch $e 0)
                  (call $throws (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
                (unreachable)))
            """);
        var mark = new object();

        var results = guest.Call("f", Value.From(-1), Value.From(long.MinValue), Value.From(SignallingF32),
            Value.From(SignallingF64), Value.FromReference(mark));

        Assert.Equal((-1, long.MinValue), (results[0].AsI32, results[1].AsI64));
        Assert.Equal((SignallingF32, SignallingF64), (results[2].AsI32, results[3].AsI64));
        Assert.Same(mark, results[4].AsReference);
        Assert.Same(guest.Instance.FindFunction("f"), results[5].AsReference);
    }

    [Fact]
    public void Exceptions_pass_a_thousand_protected_frames()
    {
        using var guest = Guest.FromWat("""
            (module
              (tag $e (param i32)) (tag $other)
              (func $down (param i32) (result i32)
                (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 1))))
                (block $h
                  (try_table (catch $other $h) (drop (call $down (i32.sub (local.get 0) (i32.const 1))))))
                (i32.const 0))
              (func (export "f") (result i32) (local $n i32) (local $sum i32)
                (loop $l
                  (local.set $sum (i32.add (local.get $sum)
                    (block $h (result i32) (try_table (result i32) (catch $e $h) (call $down (i32.const 1000))))))
                  (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 20))))
                (local.get $sum)))
            """);

        Assert.Equal(20, guest.CallI32("f"));
    }

    [Fact]
    public void Vectors_and_objects_are_values_too_and_all_memories_are_looked_at_anew()
    {
        using var guest = Guest.FromWat("""
            (module
              (type $point (struct (field i32)))
              (tag $e (param v128 (ref $point)))
              (memory 1) (memory $small 1) (memory $wide i64 1)
              (func $throws
                (drop (memory.grow $small (i32.const 1)))
                (drop (memory.grow $wide (i64.const 1)))
                (throw $e (v128.const i64x2 5 6) (struct.new $point (i32.const 7))))
              (func (export "f") (result i64 i32 i32)
                (local $vector v128) (local $object (ref null $point))
                (block $h (result v128 (ref $point))
                  (try_table (catch $e $h)
                    (i32.store $small (i32.const 0) (i32.const 1)) (i64.store $wide (i64.const 0) (i64.const 1))
                    (call $throws))
                  (unreachable))
                (local.set $object) (local.set $vector)
                (i32.store $small (i32.const 65536) (i32.const 10))
                (i32.store $wide (i64.const 65536) (i32.const 20))
                (i64x2.extract_lane 1 (local.get $vector))
                (struct.get $point 0 (local.get $object))
                (i32.add (i32.load $small (i32.const 65536)) (i32.load $wide (i64.const 65536)))))
            """);

        var results = guest.Call("f");

        Assert.Equal((6, 7, 30), (results[0].AsI64, results[1].AsI32, results[2].AsI32));
    }

    [Fact]
    public void Exceptions_that_a_guest_keeps_are_charged_to_its_store()
    {
        using var guest = Guest.FromWat("""
            (module
              (tag $e (param i64 i64 i64 i64 i64 i64 i64 i64))
              (table $kept 100000 exnref)
              (func (export "f") (param $keeps i32) (local $i i32)
                (loop $l
                  (table.set $kept (i32.and (local.get $i) (local.get $keeps))
                    (block $h (result exnref)
                      (try_table (catch_all_ref $h)
                        (throw $e (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
                          (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)))
                      (unreachable)))
                  (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9000))))))
            """, new StoreLimits { ObjectBytesMax = 1 << 20 });

        guest.Call("f", Value.From(0xFF));

        Assert.Equal(TrapCode.OutOfMemory, guest.Traps("f", Value.From(0xFFFF)).Code);
    }

    [Fact]
    public void A_tag_of_another_type_is_not_linked()
    {
        using var engine = new Engine();
        using var store = new Store(engine);
        var linker = new Linker(engine);
        linker.Define("", "e", new Tag(store, FunctionType.Of([ValueType.I32], [])));
        var module = Module.Compile(engine, WatText.ToBinary("""(module (import "" "e" (tag (param i64))))"""));

        var refused = Assert.Throws<LinkException>(() => linker.Instantiate(store, module));

        Assert.StartsWith("incompatible import type", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Tag(store, FunctionType.Of([], [ValueType.I32])));
    }
}
