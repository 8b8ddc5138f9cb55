namespace Millrace.Fuzz;

/// <summary>Structs, arrays and i31: in a third of the functions.</summary>
sealed partial class BodyGenerator
{
    /// <summary>Types of objects that a module declares.</summary>
    public const string ObjectTypes = """
          (type $s0 (sub (struct (field (mut i32)) (field (mut i64)) (field (mut f32)) (field (mut i8)))))
          (type $s1 (sub $s0 (struct
            (field (mut i32)) (field (mut i64)) (field (mut f32)) (field (mut i8)) (field (mut f64)) (field (mut i16)))))
          (type $a8 (array (mut i8)))
          (type $al (array (mut i64)))
          (type $af (array (mut funcref)))

        """;

    const string ObjectLocals =
        " (local $r0 (ref null $s0)) (local $r1 (ref null $s1)) (local $q8 (ref null $a8)) (local $ql (ref null $al)) (local $qf (ref null $af)) (local $y anyref)";

    readonly bool _hasObjects = choices.OneIn(3);

    // Most functions begin with objects, or hardly any would come to its end.
    string FirstObjects() => !_hasObjects || _isWild ? "" :
        $"(local.set $r0 ({Named("struct.new_default")} $s0)) (local.set $r1 ({Named("struct.new_default")} $s1)) "
        + $"(local.set $q8 ({Named("array.new_default")} $a8 (i32.const 12))) "
        + $"(local.set $ql ({Named("array.new_default")} $al (i32.const 9))) "
        + $"(local.set $qf ({Named("array.new_default")} $af (i32.const 6))) ";

    // Branches on what a reference is, and what segments make of arrays.
    string OfReferences()
    {
        var (label, of) = ($"b{_names++}", choices.Below(2));
        switch (choices.Below(10))
        {
            case 0:
                return $"(block ${label} (local.set $y ({Named("br_on_null")} ${label} {Struct(of)})))";
            case 1:
                return $"(local.set $r{of} (block ${label} (result (ref $s{of})) ({Named("br_on_non_null")} ${label} {Struct(of)}) "
                    + $"({Named("struct.new_default")} $s{of})))";
            case 2:
                return $"(local.set $r{of} (block ${label} (result (ref $s{of})) (drop ({Named("br_on_cast")} ${label} anyref "
                    + $"(ref $s{of}) {Any()})) ({Named("struct.new_default")} $s{of})))";
            case 3:
                var kind = choices.Of(Kinds);
                return $"(local.set $y (block ${label} (result anyref) ({Named("br_on_cast_fail")} ${label} anyref "
                    + $"(ref {kind}) {Any()})))";
            case 4:
                return $"({Named("array.init_data")} $a8 $d0 {Bytes()} {Index(6)} {Index(20)} {Index(7)})";
            case 5:
                // A segment that is never dropped: of two reasons to trap at once each engine may tell its own.
                return $"({Named("array.init_elem")} $af $e0 {Functions()} {Index(3)} {Index(2)} {Index(3)})";
            case 6:
                return $"(local.set $qf ({Named("array.new_elem")} $af {(choices.OneIn(8) ? "$dropped" : "$e")} {Index(2)} {Index(3)}))";
            case 7:
                return $"({Named("array.set")} $af {Functions()} {Index(3)} ({Named("table.get")} $t {Element()}))";
            case 8:
                return $"(drop ({Named("ref.is_null")} ({Named("array.get")} $af {Functions()} {Index(3)})))";
            default:
                // Longer than any engine lets an array be.
                return _isWild && choices.OneIn(8) ? $"(local.set $q8 ({Named("array.new_default")} $a8 (i32.const -1)))"
                    : $"(local.set $y ({Named("any.convert_extern")} ({Named("extern.convert_any")} {Any()})))";
        }
    }

    string Functions() => !_isWild && choices.OneIn(3) ? $"({Named("array.new_default")} $af (i32.const {6 + choices.Below(3)}))"
        : "(local.get $qf)";

    string SetObject() => choices.Below(10) switch
    {
        0 => $"(local.set $r0 {Struct(0)})",
        1 => $"(local.set $r1 {Struct(1)})",
        2 => $"(local.set $q8 {Bytes()})",
        3 => $"(local.set $ql {Longs()})",
        4 => $"(local.set $y {Any()})",
        5 => $"({Named("struct.set")} $s{Field(out var field, out var of)} {field} {Struct(of)} {Value(FieldTypes[field], 3)})",
        6 => $"({Named("array.set")} $a8 {Bytes()} {Index(12)} {Value('i', 3)})",
        7 => $"({Named("array.set")} $al {Longs()} {Index(9)} {Value('l', 3)})",
        8 => $"({Named("array.fill")} $a8 {Bytes()} {Index(6)} {Value('i', 2)} {Index(6)})",
        _ => $"({Named("array.copy")} $a8 $a8 {Bytes()} {Index(6)} {Bytes()} {Index(6)} {Index(6)})",
    };

    /// <summary>A value that an object holds or tells; null where none fits the type.</summary>
    string? OfObject(char type) => (type, choices.Below(8)) switch
    {
        ('i', 0) => $"({Named("struct.get")} $s0 0 {Struct(0)})",
        ('i', 1) => $"({Named(choices.OneIn(2) ? "struct.get_s" : "struct.get_u")} $s0 3 {Struct(0)})",
        ('i', 2) => $"({Named(choices.OneIn(2) ? "struct.get_s" : "struct.get_u")} $s1 5 {Struct(1)})",
        ('i', 3) => $"({Named(choices.OneIn(2) ? "array.get_s" : "array.get_u")} $a8 {Bytes()} {Index(12)})",
        ('i', 4) => $"({Named("array.len")} {(choices.OneIn(2) ? Bytes() : Longs())})",
        ('i', 5) when choices.OneIn(4) =>
            $"({Named("struct.get")} $s0 0 ({Named("ref.cast")} (ref $s0) (block (result anyref) {Struct(1)})))",
        ('i', 5) => $"({Named("ref.test")} (ref {(choices.OneIn(4) ? "null " : "")}{choices.Of(Kinds)}) {Any()})",
        ('i', 6) => $"({Named("ref.eq")} {Struct(0)} {Struct(0)})",
        ('i', _) => $"({Named(choices.OneIn(2) ? "i31.get_s" : "i31.get_u")} ({Named("ref.i31")} {Value('i', 2)}))",
        ('l', <= 3) => $"({Named("struct.get")} $s0 1 {Struct(0)})",
        ('l', _) => $"({Named("array.get")} $al {Longs()} {Index(9)})",
        ('f', _) => $"({Named("struct.get")} $s0 2 {Struct(0)})",
        ('d', _) => $"({Named("struct.get")} $s1 4 {Struct(1)})",
        _ => null,
    };

    static readonly string[] Kinds = ["$s0", "$s1", "$a8", "$al", "i31", "struct", "array", "eq", "any"];

    static readonly char[] FieldTypes = ['i', 'l', 'f', 'i', 'd', 'i'];

    int Field(out int field, out int of)
    {
        of = choices.Below(2);
        field = choices.Below(of == 0 ? 4 : 6);
        return of;
    }

    string Struct(int of) => choices.Below(of == 0 ? 6 : 4) switch
    {
        0 => $"({Named("struct.new")} $s{of} {string.Join(' ', FieldTypes.Take(of == 0 ? 4 : 6).Select(type => Value(type, 1)))})",
        1 when _isWild => $"({Named("ref.cast")} (ref null $s{of}) {Any()})",
        1 => $"({Named("ref.as_non_null")} (local.get $r{of}))",
        >= 4 => "(local.get $r1)",
        _ => $"(local.get $r{of})",
    };

    string Bytes() => choices.Below(4) switch
    {
        0 => $"({Named("array.new")} $a8 {Value('i', 1)} (i32.const {12 + choices.Below(4)}))",
        1 => $"({Named("array.new_data")} $a8 $d0 (i32.const {choices.Below(_isWild ? 40 : 8)}) (i32.const 12))",
        _ => "(local.get $q8)",
    };

    string Longs() => choices.Below(3) switch
    {
        0 => $"({Named("array.new_fixed")} $al 9 {string.Join(' ', Enumerable.Range(0, 9).Select(_ => Leaf('l')))})",
        _ => "(local.get $ql)",
    };

    string Any() => choices.Below(6) switch
    {
        0 => Struct(0),
        1 => Struct(1),
        2 => Bytes(),
        3 => $"({Named("ref.i31")} {Value('i', 1)})",
        4 => $"({Named("ref.null")} none)",
        _ => "(local.get $y)",
    };

    string Index(int below) => _isWild && choices.OneIn(6)
        ? Value('i', 1) : $"(i32.rem_u {Value('i', 1)} (i32.const {below}))";
}
