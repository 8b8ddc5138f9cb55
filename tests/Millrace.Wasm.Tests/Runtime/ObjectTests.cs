namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Structs, arrays and i31 where the official suite does not look: the border to the host, other modules,
/// several stores, sizes.</summary>
public sealed class ObjectTests
{
    const string Text = """
        (module
          (type $point (sub (struct (field (mut i32)) (field (mut i64)))))
          (type $named (sub $point (struct (field (mut i32)) (field (mut i64)) (field (mut anyref)))))
          (type $bytes (array (mut i8)))
          (type $longs (array (mut i64)))
          (type $any (array (mut anyref)))
          (func (export "point") (param i32 i64) (result (ref $point))
            (struct.new $point (local.get 0) (local.get 1)))
          (func (export "named") (param i32 i64 anyref) (result (ref $named))
            (struct.new $named (local.get 0) (local.get 1) (local.get 2)))
          (func (export "x") (param (ref null $point)) (result i32) (struct.get $point 0 (local.get 0)))
          (func (export "y") (param (ref null $point)) (result i64) (struct.get $point 1 (local.get 0)))
          (func (export "name") (param (ref null $named)) (result anyref) (struct.get $named 2 (local.get 0)))
          (func (export "bytes") (param i32) (result (ref $bytes)) (array.new_default $bytes (local.get 0)))
          (func (export "longs") (param i32) (result (ref $longs)) (array.new $longs (i64.const -1) (local.get 0)))
          (func (export "byte") (param (ref $bytes) i32) (result i32) (array.get_s $bytes (local.get 0) (local.get 1)))
          (func (export "setByte") (param (ref $bytes) i32 i32)
            (array.set $bytes (local.get 0) (local.get 1) (local.get 2)))
          (func (export "fill") (param (ref $bytes) i32 i32 i32)
            (array.fill $bytes (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
          (func (export "copy") (param (ref $bytes) i32 (ref $bytes) i32 i32)
            (array.copy $bytes $bytes (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
          (func (export "i31") (param i32) (result i31ref) (ref.i31 (local.get 0)))
          (func (export "isI31") (param anyref) (result i32) (ref.test (ref i31) (local.get 0)))
          (func (export "kind") (param anyref) (result i32)
            (if (ref.test (ref $named) (local.get 0)) (then (return (i32.const 5))))
            (if (ref.test (ref $point) (local.get 0)) (then (return (i32.const 4))))
            (if (ref.test (ref $bytes) (local.get 0)) (then (return (i32.const 3))))
            (if (ref.test (ref i31) (local.get 0)) (then (return (i32.const 2))))
            (if (ref.test (ref eq) (local.get 0)) (then (return (i32.const 1))))
            (i32.const 0))
          (func (export "same") (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
          (func (export "inward") (param externref) (result anyref) (any.convert_extern (local.get 0)))
          (func (export "outward") (param anyref) (result externref) (extern.convert_any (local.get 0)))
          (func (export "toPoint") (param anyref) (result (ref null $point))
            (ref.cast (ref null $point) (local.get 0))))
        """;

    static Value Made(Guest guest, string name, params ReadOnlySpan<Value> arguments) => guest.Call(name, arguments)[0];

    [Fact]
    public void The_host_holds_objects_and_gives_them_back()
    {
        using var guest = Guest.FromWat(Text);
        var point = Made(guest, "point", Value.From(7), Value.From(8L));
        var named = Made(guest, "named", Value.From(1), Value.From(2L), point);

        Assert.Equal(HeapKind.Struct, Assert.IsType<GuestObject>(point.AsReference, exactMatch: false).Kind);
        Assert.Equal(7, guest.CallI32("x", point));
        Assert.Equal(8, guest.Call("y", point)[0].AsI64);
        Assert.Equal(2, guest.Call("y", named)[0].AsI64);
        Assert.Same(point.AsReference, Made(guest, "name", named).AsReference);
    }

    [Fact]
    public void An_object_of_another_type_is_refused_wherever_it_would_enter()
    {
        using var guest = Guest.FromWat(Text);
        var point = Made(guest, "point", Value.From(7), Value.From(8L));
        var bytes = Made(guest, "bytes", Value.From(3));

        Assert.Throws<ArgumentException>(() => guest.Call("name", point));
        Assert.Throws<ArgumentException>(() => guest.Call("x", bytes));
        Assert.Throws<ArgumentException>(() => guest.Call("x", Made(guest, "i31", Value.From(1))));
        Assert.Throws<ArgumentException>(() => guest.Call("x", Value.FromReference("host")));
        Assert.Throws<ArgumentException>(() => guest.Call("byte", Made(guest, "longs", Value.From(3)), Value.From(0)));
        Assert.Throws<ArgumentException>(() => guest.Call("byte", Value.FromReference(null), Value.From(0)));
        Assert.Throws<ArgumentException>(() => guest.Call("same", point, Value.FromReference("host")));
        Assert.Throws<ArgumentException>(
            () => guest.Call("kind", Value.FromReference(guest.Instance.FindFunction("kind"))));
    }

    [Fact]
    public void An_object_of_another_store_is_refused_in_every_disguise()
    {
        using var guest = Guest.FromWat(Text);
        using var other = Guest.FromWat(Text);
        var foreign = Made(other, "point", Value.From(7), Value.From(8L));

        Assert.Throws<ArgumentException>(() => guest.Call("x", foreign));
        Assert.Throws<ArgumentException>(() => guest.Call("kind", foreign));
        Assert.Throws<ArgumentException>(() => guest.Call("inward", foreign));
    }

    [Fact]
    public void A_host_object_is_any_and_no_more_and_comes_back_as_it_was()
    {
        using var guest = Guest.FromWat(Text);
        var host = new object();

        Assert.Equal(0, guest.CallI32("kind", Value.FromReference(host)));
        Assert.Same(host, Made(guest, "outward", Made(guest, "inward", Value.FromReference(host))).AsReference);
        Assert.Equal(TrapCode.CastFailure, guest.Traps("toPoint", Value.FromReference(host)).Code);
    }

    [Fact]
    public void A_function_that_goes_through_extern_is_nothing_that_a_cast_would_take()
    {
        using var guest = Guest.FromWat(Text);
        var function = Value.FromReference(guest.Instance.FindFunction("kind"));

        var inside = Made(guest, "inward", function);

        Assert.Same(function.AsReference, inside.AsReference);
        using var probe = Guest.FromWat("""
            (module (func (export "kind") (param externref) (result i32)
              (i32.or
                (ref.test (ref eq) (any.convert_extern (local.get 0)))
                (ref.test (ref struct) (any.convert_extern (local.get 0))))))
            """);
        Assert.Equal(0, probe.CallI32("kind", Value.FromReference(new object())));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-129)]
    [InlineData(1024)]
    [InlineData(0x3FFF_FFFF)]
    [InlineData(-0x4000_0000)]
    public void An_i31_is_equal_by_its_number(int number)
    {
        using var guest = Guest.FromWat(Text);
        var one = Made(guest, "i31", Value.From(number));

        Assert.Equal(number, ((GuestObject)one.AsReference!).AsI31);
        Assert.Equal(1, guest.CallI32("same", one, Value.FromI31(number)));
        Assert.Equal(0, guest.CallI32("same", one, Value.FromI31(number ^ 1)));
        Assert.Equal(0, guest.CallI32("same", one, Value.FromReference(null)));
        Assert.Equal(2, guest.CallI32("kind", Value.FromI31(number)));
        Assert.Throws<InvalidOperationException>(
            () => ((GuestObject)Made(guest, "bytes", Value.From(1)).AsReference!).AsI31);
    }

    [Fact]
    public void Array_accesses_are_checked_at_every_edge()
    {
        using var guest = Guest.FromWat(Text);
        var bytes = Made(guest, "bytes", Value.From(4));
        var empty = Made(guest, "bytes", Value.From(0));

        guest.Call("setByte", bytes, Value.From(3), Value.From(0x1FF));
        Assert.Equal(-1, guest.CallI32("byte", bytes, Value.From(3)));
        foreach (var index in new[] { 4, int.MaxValue, int.MinValue, -1 })
        {
            Assert.Equal(TrapCode.OutOfBoundsArrayAccess, guest.Traps("byte", bytes, Value.From(index)).Code);
            Assert.Equal(
                TrapCode.OutOfBoundsArrayAccess, guest.Traps("setByte", bytes, Value.From(index), Value.From(1)).Code);
        }
        Assert.Equal(TrapCode.OutOfBoundsArrayAccess, guest.Traps("byte", empty, Value.From(0)).Code);
        foreach (var (at, count) in new[] { (0, 5), (4, 1), (5, 0), (-1, 1), (1, -1), (-1, -1) })
        {
            var (from, number) = (Value.From(at), Value.From(count));
            Assert.Equal(
                TrapCode.OutOfBoundsArrayAccess, guest.Traps("fill", bytes, from, Value.From(1), number).Code);
            Assert.Equal(
                TrapCode.OutOfBoundsArrayAccess,
                guest.Traps("copy", bytes, from, bytes, Value.From(0), number).Code);
            Assert.Equal(
                TrapCode.OutOfBoundsArrayAccess,
                guest.Traps("copy", bytes, Value.From(0), bytes, from, number).Code);
        }
        guest.Call("fill", bytes, Value.From(4), Value.From(1), Value.From(0));
        guest.Call("copy", bytes, Value.From(0), bytes, Value.From(1), Value.From(3));
        Assert.Equal(-1, guest.CallI32("byte", bytes, Value.From(2)));
    }

    [Fact]
    public void Null_traps_before_anything_is_read()
    {
        using var guest = Guest.FromWat(Text);

        Assert.Equal(TrapCode.NullReference, guest.Traps("x", Value.FromReference(null)).Code);
        Assert.Equal(TrapCode.NullReference, guest.Traps("name", Value.FromReference(null)).Code);
        Assert.Null(Made(guest, "toPoint", Value.FromReference(null)).AsReference);
    }

    [Fact]
    public void What_was_read_before_a_write_stays_what_it_was()
    {
        using var guest = Guest.FromWat("""
            (module
              (type $s (struct (field (mut i32))))
              (type $a (array (mut i32)))
              (func $set (param $s (ref $s)) (struct.set $s 0 (local.get $s) (i32.const 1000)))
              (func (export "struct") (result i32) (local $s (ref $s))
                (local.set $s (struct.new $s (i32.const 7)))
                (struct.get $s 0 (local.get $s))
                (struct.set $s 0 (local.get $s) (i32.const 100))
                (struct.get $s 0 (local.get $s))
                (call $set (local.get $s))
                (i32.add (i32.add (struct.get $s 0 (local.get $s)))))
              (func (export "array") (result i32) (local $a (ref $a))
                (local.set $a (array.new $a (i32.const 7) (i32.const 4)))
                (array.get $a (local.get $a) (i32.const 2))
                (array.set $a (local.get $a) (i32.const 2) (i32.const 100))
                (array.get $a (local.get $a) (i32.const 2))
                (array.fill $a (local.get $a) (i32.const 0) (i32.const 1000) (i32.const 4))
                (i32.add (i32.add (array.get $a (local.get $a) (i32.const 2)))))
              (func (export "swap") (result i32) (local $s (ref $s)) (local $t (ref $s))
                (local.set $s (struct.new $s (i32.const 7)))
                (local.set $t (local.get $s))
                (struct.set $s 0 (local.get $s)
                  (i32.add (struct.get $s 0 (local.get $t))
                    (block (result i32) (struct.set $s 0 (local.get $t) (i32.const 50)) (i32.const 1))))
                (struct.get $s 0 (local.get $t))))
            """);

        Assert.Equal(1107, guest.CallI32("struct"));
        Assert.Equal(1107, guest.CallI32("array"));
        Assert.Equal(8, guest.CallI32("swap"));
    }

    [Fact]
    public void Every_kind_of_field_and_element_keeps_its_bits()
    {
        const string Values =
            "(i32.const -1) (i32.const -2) (i32.const -3) (i64.const -4) (f32.const nan:0x200001)"
            + " (f64.const -nan:0x4000000000001) (v128.const i32x4 1 2 3 4) (ref.i31 (i32.const 5))";
        using var guest = Guest.FromWat($"""
            (module
              (type $s (struct (field (mut i8)) (field (mut i16)) (field (mut i32)) (field (mut i64))
                (field (mut f32)) (field (mut f64)) (field (mut v128)) (field (mut i31ref))))
              (type $v (array (mut v128)))
              (type $f (array (mut f32)))
              (data $d "\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f\10")
              (global $constant (ref $s) (struct.new $s {Values}))
              (global $vectors (ref $v) (array.new_fixed $v 2
                (v128.const i64x2 0 0) (v128.const i64x2 9 10)))
              (global $floats (ref $f) (array.new $f (f32.const nan:0x200001) (i32.const 3)))
              (func $made (result (ref $s)) (struct.new $s {Values}))
              (func $check (param $s (ref $s)) (result i32)
                (i32.and (i32.and (i32.and
                  (i32.eq (struct.get_s $s 0 (local.get $s)) (i32.const -1))
                  (i32.eq (struct.get_u $s 1 (local.get $s)) (i32.const 65534)))
                  (i32.and
                  (i32.eq (struct.get $s 2 (local.get $s)) (i32.const -3))
                  (i64.eq (struct.get $s 3 (local.get $s)) (i64.const -4))))
                  (i32.and (i32.and
                  (i32.eq (i32.reinterpret_f32 (struct.get $s 4 (local.get $s))) (i32.const 0x7fa00001))
                  (i64.eq (i64.reinterpret_f64 (struct.get $s 5 (local.get $s))) (i64.const 0xfff4000000000001)))
                  (i32.and
                  (i32.eq (i32x4.extract_lane 3 (struct.get $s 6 (local.get $s))) (i32.const 4))
                  (i32.eq (i31.get_s (struct.get $s 7 (local.get $s))) (i32.const 5))))))
              (func (export "structs") (result i32)
                (i32.and (call $check (global.get $constant)) (call $check (call $made))))
              (func (export "vectors") (result i64) (local $v (ref $v))
                (local.set $v (array.new_data $v $d (i32.const 1) (i32.const 1)))
                (array.set $v (local.get $v) (i32.const 0)
                  (i64x2.add
                    (array.get $v (local.get $v) (i32.const 0))
                    (array.get $v (global.get $vectors) (i32.const 1))))
                (i64x2.extract_lane 0 (array.get $v (local.get $v) (i32.const 0))))
              (func (export "floats") (result i32)
                (i32.reinterpret_f32 (array.get $f (global.get $floats) (i32.const 2)))))
            """);

        Assert.Equal(1, guest.CallI32("structs"));
        GC.Collect();
        Assert.Equal(1, guest.CallI32("structs"));
        Assert.Equal(0x0807060504030201 + 9, guest.Call("vectors")[0].AsI64);
        Assert.Equal(0x7fa00001, guest.CallI32("floats"));
    }

    [Fact]
    public void Equal_types_of_two_modules_are_one_type()
    {
        const string Types = """
            (rec
              (type $node (sub (struct (field i32) (field (mut (ref null $node))) (field (mut i8)))))
              (type $leaf (sub $node (struct (field i32) (field (mut (ref null $node))) (field (mut i8)) (field f64)))))
            """;
        using var engine = new Engine();
        using var store = new Store(engine);
        var linker = new Linker(engine);
        var maker = linker.Instantiate(store, Module.Compile(engine, WatText.ToBinary($"""
            (module {Types}
              (global (export "root") (ref $node) (struct.new $leaf
                (i32.const 3) (struct.new $node (i32.const 4) (ref.null $node) (i32.const 300))
                (i32.const 255) (f64.const 0.5)))
              (func (export "make") (param i32 (ref null $node)) (result (ref $node))
                (struct.new $leaf (local.get 0) (local.get 1) (i32.const -2) (f64.const 1.5))))
            """)));
        linker.Define("maker", maker);
        var reader = linker.Instantiate(store, Module.Compile(engine, WatText.ToBinary($"""
            (module (type (struct)) (type (array i8)) {Types}
              (import "maker" "root" (global $root (ref $node)))
              (import "maker" "make" (func $make (param i32 (ref null $node)) (result (ref $node))))
              (func $sum (param $n (ref null $node)) (result f64)
                (if (ref.is_null (local.get $n)) (then (return (f64.const 0))))
                (f64.add
                  (f64.add (f64.convert_i32_s (struct.get $node 0 (local.get $n)))
                           (f64.convert_i32_s (struct.get_s $node 2 (local.get $n))))
                  (f64.add
                    (call $sum (struct.get $node 1 (local.get $n)))
                    (block $no (result f64)
                      (block $other (result (ref null $node))
                        (br_on_cast_fail $other (ref null $node) (ref $leaf) (local.get $n))
                        (br $no (struct.get $leaf 3)))
                      drop (f64.const 0)))))
              (func (export "run") (result f64)
                (struct.set $node 1 (global.get $root) (struct.new $node (i32.const 10) (ref.null $node) (i32.const 1)))
                (call $sum (call $make (i32.const 100) (global.get $root)))))
            """)));

        // 100 - 2 + 1.5, then 3 - 1 + 0.5, then 10 + 1
        Assert.Equal(113.0, reader.FindFunction("run")!.Call()[0].AsF64);
    }

    [Fact]
    public void An_array_of_any_length_traps_where_there_is_no_room()
    {
        using var guest = Guest.FromWat(Text, new StoreLimits { ObjectBytesMax = 1 << 20 });

        foreach (var length in new[] { 1 << 20, int.MaxValue, int.MinValue, -1 })
        {
            Assert.Equal(TrapCode.OutOfMemory, guest.Traps("bytes", Value.From(length)).Code);
            Assert.Equal(TrapCode.OutOfMemory, guest.Traps("longs", Value.From(length)).Code);
        }
        Made(guest, "bytes", Value.From(1 << 19));
    }

    [Fact]
    public void An_array_beyond_what_dotnet_can_hold_traps()
    {
        using var guest = Guest.FromWat(Text, new StoreLimits { ObjectBytesMax = long.MaxValue });

        Assert.Equal(TrapCode.OutOfMemory, guest.Traps("longs", Value.From(-1)).Code);
        Assert.Equal(1, guest.CallI32("kind", Made(guest, "longs", Value.From(1))));
    }

    const string Hoarder = """
        (module
          (type $node (struct (field (ref null $node)) (field i64)))
          (type $bytes (array i8))
          (type $all (array (mut anyref)))
          (global $kept (mut (ref null $node)) (ref.null $node))
          (global $held (mut (ref null $all)) (ref.null $all))
          (func (export "keep") (param $count i32)
            (loop $more
              (global.set $kept (struct.new $node (global.get $kept) (i64.const 1)))
              (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
          (func (export "waste") (param $count i32)
            (loop $more
              (drop (struct.new $node (global.get $kept) (i64.const 1)))
              (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
          (func (export "hide") (param $count i32)
            (loop $more
              (global.set $kept (struct.new $node (global.get $kept) (i64.const 1)))
              (drop (array.new_default $bytes (i32.const 100)))
              (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
          (func (export "numbers") (param $count i32)
            (global.set $held (array.new_default $all (local.get $count)))
            (loop $more
              (local.set $count (i32.sub (local.get $count) (i32.const 1)))
              (array.set $all (global.get $held) (local.get $count)
                (ref.i31 (i32.add (i32.const 5000) (local.get $count))))
              (br_if $more (local.get $count))))
          (func (export "forget")
            (global.set $kept (ref.null $node)) (global.set $held (ref.null $all))))
        """;

    // 40 bytes each: the limit is 26,000 of them.
    static Guest StartHoarder() => Guest.FromWat(Hoarder, new StoreLimits { ObjectBytesMax = 1 << 20 });

    [Theory]
    [InlineData("keep", 40_000)]
    [InlineData("hide", 40_000)]
    [InlineData("numbers", 50_000)]
    public void What_a_guest_keeps_beyond_its_limit_traps_and_is_free_again_when_let_go(string how, int count)
    {
        using var guest = StartHoarder();

        Assert.Equal(TrapCode.OutOfMemory, guest.Traps(how, Value.From(count)).Code);
        Assert.Equal(TrapCode.OutOfMemory, guest.Traps(how, Value.From(count)).Code);
        guest.Call("forget");
        guest.Call("keep", Value.From(10_000));
    }

    [Fact]
    public void What_a_guest_lets_go_costs_nothing()
    {
        using var guest = StartHoarder();

        guest.Call("keep", Value.From(10_000));
        guest.Call("waste", Value.From(400_000));
        guest.Call("keep", Value.From(5_000));
    }
}
